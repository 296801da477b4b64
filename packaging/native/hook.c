/*
 * The program around the bundle of the hook: it starts QuickJS, gives it the few system calls that it needs,
 * and ends with the exit status of the operation's rule whatever happens. No threads, no child process.
 *
 * Three limits hold. Time: QuickJS asks timed_out() while it computes, which raises an error that the bundle
 * reports; a call that blocks in the kernel is ended by SIGALRM a little later. Memory: an allocation beyond
 * the limit raises an error. Stack: a deeper call raises an error.
 */
#include "calls.h"

#include <sys/time.h>

#include "operations.h" /* generated from src/hook-setup/operations.ts */

enum {
  DEFAULT_TIMEOUT_MS = 10000,
  GRACE_MS = 250,      /* for what reports that the time is over */
  BLOCKED_MS = 700,    /* how long after the limit a blocked call is ended */
  LOG_MS = 200,        /* how long the end waits for the log */
  MOST_GRACES = 3,
};
static const size_t FIRST_LIMIT_BYTES = (size_t)512 << 20;

/* What the process ends with when nothing else decides. */
static volatile sig_atomic_t failure_status;
static int graces;
/* Whether hook-setup/hook.sh started this program: only two exit statuses are verdicts for it. */
static int has_shim;
enum { CONTINUE = 83, REFUSE = 84 };

static _Noreturn void end_with(int status) { _exit(!has_shim ? status : status == 0 ? CONTINUE : REFUSE); }

/* ---- Limits ---- */

static void on_alarm(int signal) {
  (void)signal;
  static const char message[] =
      "error[hook-timeout]: virt-numa has not answered in time\n"
      "   why: a file or a process that it waits for does not respond; the XML of the guest was not "
      "changed\n"
      "   fix: see what is slow: time virt-numa snapshot; raise timeout_s in virt-numa.conf, or set "
      "on_error = \"keep\" there, to continue with the unchanged XML\n";
  struct pollfd err = {2, POLLOUT, 0};
  if (failure_status != 0 && poll(&err, 1, 0) == 1 && (err.revents & POLLOUT) != 0) {
    ssize_t written = write(2, message, sizeof message - 1);
    (void)written;
  }
  end_with(failure_status);
}

/* The answer stands; only its log is late. */
static void on_late_log(int signal) {
  (void)signal;
  end_with(failure_status);
}

static void alarm_at(double ms) {
  double left = ms - elapsed_ms();
  if (left < 1) left = 1;
  struct itimerval timer = {{0, 0}, {(time_t)(left / 1000), (suseconds_t)((long)(left * 1000) % 1000000)}};
  setitimer(ITIMER_REAL, &timer, NULL);
}

static void set_deadline(double ms) {
  deadline_ms = ms;
  alarm_at(ms + BLOCKED_MS);
}

/* The error that this raises passes every catch of its function; each time there is grace to report it. */
static int timed_out(JSRuntime *runtime, void *opaque) {
  (void)runtime, (void)opaque;
  if (elapsed_ms() < deadline_ms) return 0;
  if (++graces > MOST_GRACES) on_alarm(SIGALRM);
  deadline_ms = elapsed_ms() + GRACE_MS;
  return 1;
}

/* ---- Calls of the bundle. A number below 0 is a negative errno. ---- */

/* The shim enforces the default limit. For a longer one this process enforces it alone. */
static void stop_watchdogs(void) {
  const char *shim = getenv("VIRT_NUMA_SHIM");
  for (char *next = shim == NULL ? NULL : strchr(shim, ' '); next != NULL && *next == ' ';) {
    long process = strtol(next + 1, &next, 10);
    if (process > 1) kill((pid_t)process, SIGUSR1);
  }
}

/* (time limit in ms, memory limit in bytes, the exit status of a failure) */
CALL(limit) {
  UNUSED;
  set_deadline(number(js, arg[0]));
  if (number(js, arg[0]) > DEFAULT_TIMEOUT_MS) stop_watchdogs();
  JS_SetMemoryLimit(JS_GetRuntime(js), (size_t)number(js, arg[1]));
  failure_status = (int)number(js, arg[2]);
  return JS_UNDEFINED;
}

/* After a failure: memory and time to report it, and whether the time was over. */
CALL(grace) {
  UNUSED;
  JS_SetMemoryLimit(JS_GetRuntime(js), (size_t)-1);
  timed_out(JS_GetRuntime(js), NULL);
  return JS_NewBool(js, graces > 0);
}

/* (exit status) */
CALL(end) {
  UNUSED;
  end_with((int)number(js, arg[0]));
}

/* (exit status, log file, line): appends the line and ends; a log that blocks is given up. */
CALL(log_and_end) {
  UNUSED;
  failure_status = (int)number(js, arg[0]);
  signal(SIGALRM, on_late_log);
  alarm_at(elapsed_ms() + LOG_MS);
  size_t length;
  const char *path = JS_ToCString(js, arg[1]), *line = JS_ToCStringLen(js, &length, arg[2]);
  if (path == NULL || line == NULL) end_with(failure_status);
  /* stdout belongs to the answer, so the log may not be the same file. */
  struct stat out, log;
  int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0640);
  if (file >= 0 && fstat(file, &log) == 0 && fstat(1, &out) == 0 &&
      (log.st_dev != out.st_dev || log.st_ino != out.st_ino)) {
    ssize_t written = write(file, line, length);
    (void)written;
  }
  end_with(failure_status);
}

#include "ledger.h"

/* ---- The start ---- */

static const struct call hook_calls[] = {
    {"end", end, 1},
    {"limit", limit, 3},
    {"grace", grace, 0},
    {"logAndEnd", log_and_end, 3},
    {"ownFolder", own_folder, 1},
    {"makeLink", make_link, 2},
    {"remove", remove_file, 1},
    {"writeNew", write_new, 2},
};

int main(int count, char **words) {
  clock_gettime(CLOCK_MONOTONIC, &started);
  has_shim = getenv("VIRT_NUMA_SHIM") != NULL;
  /* The shim names the program after what runs it. */
  if (has_shim && count > 1) {
    count--;
    words++;
  }
  const struct rule *rule = rule_of(count > 2 ? words[2] : "", count > 3 ? words[3] : "");
  if (rule == NULL) {
    if (count > 3 && drops_promise(words[2], words[3])) drop_promise(words[1]);
    end_with(0);
  }
  failure_status = rule->failure;
  arg_count = count;
  args = words;
  if (open_streams() < 0) end_with(failure_status);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGALRM, on_alarm);
  sigset_t alarms;
  sigemptyset(&alarms);
  sigaddset(&alarms, SIGALRM);
  sigprocmask(SIG_UNBLOCK, &alarms, NULL);
  set_deadline(DEFAULT_TIMEOUT_MS);
  JSContext *js = start_engine(FIRST_LIMIT_BYTES, hook_calls, sizeof hook_calls / sizeof *hook_calls);
  if (js == NULL) end_with(failure_status);
  JS_SetInterruptHandler(JS_GetRuntime(js), timed_out, NULL);
  JSValue ran = run_first_module(js);
  JSContext *other;
  if (!JS_IsException(ran))
    while (JS_ExecutePendingJob(JS_GetRuntime(js), &other) > 0) continue;
  /* A bundle that has an answer ends the process itself. */
  end_with(failure_status);
}