/*
 * The program around the bundle of the command: besides reading, it has calls that write files, start other
 * programs and wait for them. Only signals that the bundle heeds are kept from ending the process; the event
 * loop itself is part of the bundle, and is entered whenever no job is left.
 */
#include "calls.h"

#include <stdio.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <sys/wait.h>

/* A pipe instead of a flag, so that no signal is missed between a look and a poll. */
static int signal_pipe[2];

extern char **environ;

/* ---- Paths ---- */

typedef int path_call(const char *path, JSContext *js, JSValueConst *arg);

/* The result of a call on a path, or its negative errno. */
static JSValue on_path(JSContext *js, JSValueConst *arg, path_call *call) {
  const char *path = JS_ToCString(js, arg[0]);
  if (path == NULL) return JS_EXCEPTION;
  JSValue value = result(js, call(path, js, arg));
  JS_FreeCString(js, path);
  return value;
}

static int call_open(const char *path, JSContext *js, JSValueConst *arg) {
  return open(path, (int)number(js, arg[1]) | O_CLOEXEC, (mode_t)number(js, arg[2]));
}
static int call_unlink(const char *path, JSContext *js, JSValueConst *arg) {
  (void)js, (void)arg;
  return unlink(path);
}
static int call_rmdir(const char *path, JSContext *js, JSValueConst *arg) {
  (void)js, (void)arg;
  return rmdir(path);
}
static int call_mkdir(const char *path, JSContext *js, JSValueConst *arg) {
  return mkdir(path, (mode_t)number(js, arg[1]));
}
static int call_access(const char *path, JSContext *js, JSValueConst *arg) {
  return access(path, (int)number(js, arg[1]));
}

/* (path, flags, mode) -> file */
CALL(open_with) {
  UNUSED;
  return on_path(js, arg, call_open);
}

/* (path) */
CALL(remove_file) {
  UNUSED;
  return on_path(js, arg, call_unlink);
}

/* (path) */
CALL(remove_folder) {
  UNUSED;
  return on_path(js, arg, call_rmdir);
}

/* (path, mode) */
CALL(make_folder) {
  UNUSED;
  return on_path(js, arg, call_mkdir);
}

/* (path, mode) */
CALL(may_access) {
  UNUSED;
  return on_path(js, arg, call_access);
}

/* (path) -> its real path */
CALL(real_path) {
  UNUSED;
  const char *path = JS_ToCString(js, arg[0]);
  if (path == NULL) return JS_EXCEPTION;
  char *real = realpath(path, NULL);
  int error = errno;
  JS_FreeCString(js, path);
  JSValue value = real == NULL ? JS_NewInt32(js, -error) : JS_NewString(js, real);
  free(real);
  return value;
}

/* (start of its path) -> the path of a new folder */
CALL(make_temporary) {
  UNUSED;
  const char *start = JS_ToCString(js, arg[0]);
  if (start == NULL) return JS_EXCEPTION;
  char path[4096];
  int length = snprintf(path, sizeof path, "%sXXXXXX", start);
  JS_FreeCString(js, start);
  if (length >= (int)sizeof path) return JS_NewInt32(js, -ENAMETOOLONG);
  return mkdtemp(path) == NULL ? JS_NewInt32(js, -errno) : JS_NewString(js, path);
}

/* (from, to, 1 to rename instead of to link) */
CALL(give_name) {
  UNUSED;
  const char *from = JS_ToCString(js, arg[0]), *to = JS_ToCString(js, arg[1]);
  if (from == NULL || to == NULL) return JS_EXCEPTION;
  JSValue value = result(js, JS_ToBool(js, arg[2]) ? rename(from, to) : link(from, to));
  JS_FreeCString(js, from);
  JS_FreeCString(js, to);
  return value;
}

/* (path or file, follows links) -> [mode, size, rdev, dev, ino, nlink, uid, gid, ms of the last change] */
CALL(status_whole) {
  UNUSED;
  struct stat found;
  JSValue problem = find_status(js, arg, &found);
  if (!JS_IsUndefined(problem)) return problem;
  double changed_ms = found.st_ctim.tv_sec * 1e3 + found.st_ctim.tv_nsec / 1e6;
  double all[] = {found.st_mode,  found.st_size, found.st_rdev, found.st_dev, found.st_ino,
                  found.st_nlink, found.st_uid,  found.st_gid,  changed_ms};
  JSValue list = JS_NewArray(js);
  for (size_t at = 0; at < sizeof all / sizeof *all; at++)
    JS_SetPropertyUint32(js, list, at, JS_NewFloat64(js, all[at]));
  return list;
}

/* ---- Open files ---- */

/* (file, bytes, position or -1 for where the file is) -> how many bytes were read */
CALL(read_some) {
  UNUSED;
  size_t length;
  uint8_t *bytes = bytes_of(js, arg[1], &length);
  if (bytes == NULL && length > 0) return JS_EXCEPTION;
  int file = (int)number(js, arg[0]);
  double at = number(js, arg[2]);
  ssize_t got;
  do got = at < 0 ? read(file, bytes, length) : pread(file, bytes, length, (off_t)at);
  while (got < 0 && errno == EINTR);
  return result(js, got);
}

/* (file, bytes, position or -1) -> how many bytes were written */
CALL(write_some) {
  UNUSED;
  size_t length;
  uint8_t *bytes = bytes_of(js, arg[1], &length);
  if (bytes == NULL && length > 0) return JS_EXCEPTION;
  int file = (int)number(js, arg[0]);
  double at = number(js, arg[2]);
  ssize_t put;
  do put = at < 0 ? write(file, bytes, length) : pwrite(file, bytes, length, (off_t)at);
  while (put < 0 && errno == EINTR);
  return result(js, put);
}

/* (file, length) */
CALL(truncate_file) {
  UNUSED;
  return result(js, ftruncate((int)number(js, arg[0]), (off_t)number(js, arg[1])));
}

/* (file) */
CALL(sync_file) {
  UNUSED;
  return result(js, fsync((int)number(js, arg[0])));
}

/* (file, mode) */
CALL(change_mode) {
  UNUSED;
  return result(js, fchmod((int)number(js, arg[0]), (mode_t)number(js, arg[1])));
}

/* (file, user, group) */
CALL(change_owner) {
  UNUSED;
  return result(js, fchown((int)number(js, arg[0]), (uid_t)number(js, arg[1]), (gid_t)number(js, arg[2])));
}

/* (file) -> whether it is a terminal */
CALL(is_terminal) {
  UNUSED;
  return JS_NewBool(js, isatty((int)number(js, arg[0])));
}

/* (text) -> its bytes in UTF-8; the text has whole characters only */
CALL(encode_utf8) {
  UNUSED;
  size_t length;
  const char *text = JS_ToCStringLen(js, &length, arg[0]);
  if (text == NULL) return JS_EXCEPTION;
  JSValue bytes = JS_NewArrayBufferCopy(js, (const uint8_t *)text, length);
  JS_FreeCString(js, text);
  return bytes;
}

/* (bytes) -> text, with U+FFFD for what is not UTF-8 */
CALL(decode_leniently) {
  UNUSED;
  size_t length;
  const uint8_t *bytes = bytes_of(js, arg[0], &length);
  if (bytes == NULL && length > 0) return JS_EXCEPTION;
  return JS_NewStringLen(js, (const char *)bytes, length);
}

/* ---- The machine and this process ---- */

/* () -> [process id, user id, name of the machine, its architecture, what this program was called as] */
CALL(about) {
  UNUSED;
  struct utsname name;
  if (uname(&name) < 0) return result(js, -1);
  JSValue list = JS_NewArray(js);
  JS_SetPropertyUint32(js, list, 0, JS_NewInt32(js, getpid()));
  JS_SetPropertyUint32(js, list, 1, JS_NewInt64(js, getuid()));
  JS_SetPropertyUint32(js, list, 2, JS_NewString(js, name.nodename));
  JS_SetPropertyUint32(js, list, 3, JS_NewString(js, name.machine));
  JS_SetPropertyUint32(js, list, 4, JS_NewString(js, arg_count > 0 ? args[0] : ""));
  return list;
}

/* () -> every variable of the environment, "NAME=VALUE" */
CALL(variables) {
  UNUSED;
  JSValue list = JS_NewArray(js);
  for (uint32_t at = 0; environ[at] != NULL; at++)
    JS_SetPropertyUint32(js, list, at, JS_NewString(js, environ[at]));
  return list;
}

/* (count) -> random bytes */
CALL(random_bytes) {
  UNUSED;
  uint8_t bytes[64];
  size_t wanted = (size_t)number(js, arg[0]);
  if (wanted > sizeof bytes || getrandom(bytes, wanted, 0) != (ssize_t)wanted) return result(js, -1);
  return JS_NewArrayBufferCopy(js, bytes, wanted);
}

static int64_t length_of(JSContext *js, JSValueConst list) {
  JSValue length = JS_GetPropertyStr(js, list, "length");
  return (int64_t)number(js, length);
}

/* ---- Signals ---- */

static void on_signal(int signal) {
  int error = errno;
  uint8_t byte = (uint8_t)signal;
  ssize_t written = write(signal_pipe[1], &byte, 1);
  (void)written;
  errno = error;
}

static void reset_signals(void) {
  for (int number = 1; number < 32; number++)
    if (number != SIGKILL && number != SIGSTOP) signal(number, SIG_DFL);
}

static void set_handler(int number, void (*handler)(int)) {
  struct sigaction action = {0};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigaction(number, &action, NULL);
}

/* (signal, whether it is reported instead of what it does by itself) */
CALL(heed) {
  UNUSED;
  set_handler((int)number(js, arg[0]), JS_ToBool(js, arg[1]) ? on_signal : SIG_DFL);
  return JS_UNDEFINED;
}

/* () -> the heeded signals that have arrived, SIGCHLD included */
CALL(arrived) {
  UNUSED;
  uint8_t bytes[256];
  ssize_t got = read(signal_pipe[0], bytes, sizeof bytes);
  JSValue list = JS_NewArray(js);
  for (ssize_t at = 0; at < got; at++) JS_SetPropertyUint32(js, list, at, JS_NewInt32(js, bytes[at]));
  return list;
}

/* (process, or a negative number for its group; signal) */
CALL(send) {
  UNUSED;
  return result(js, kill((pid_t)number(js, arg[0]), (int)number(js, arg[1])));
}

/* (files to read, files to write, ms or -1) -> the files that are ready; a signal ends the wait too */
CALL(poll_files) {
  UNUSED;
  int64_t readable = length_of(js, arg[0]), writable = length_of(js, arg[1]);
  struct pollfd each[256];
  if (readable + writable > 255) return JS_NewInt32(js, -EMFILE);
  int files = 0;
  for (int list = 0; list < 2; list++)
    for (int64_t at = 0; at < (list == 0 ? readable : writable); at++) {
      JSValue file = JS_GetPropertyUint32(js, arg[list], at);
      each[files++] = (struct pollfd){(int)number(js, file), list == 0 ? POLLIN : POLLOUT, 0};
    }
  each[files] = (struct pollfd){signal_pipe[0], POLLIN, 0};
  int ready = poll(each, files + 1, (int)number(js, arg[2]));
  JSValue found = JS_NewArray(js);
  for (int at = 0, next = 0; ready > 0 && at < files; at++)
    if (each[at].revents != 0) JS_SetPropertyUint32(js, found, next++, JS_NewInt32(js, each[at].fd));
  return found;
}

/* ---- Other programs ---- */

/* A list of texts as C has it, NULL without memory. */
static char **texts_of(JSContext *js, JSValueConst list) {
  int64_t length = length_of(js, list);
  char **texts = calloc(length + 1, sizeof *texts);
  for (int64_t at = 0; texts != NULL && at < length; at++) {
    JSValue value = JS_GetPropertyUint32(js, list, at);
    const char *text = JS_ToCString(js, value);
    texts[at] = text == NULL ? NULL : strdup(text);
    JS_FreeCString(js, text);
    JS_FreeValue(js, value);
  }
  return texts;
}

static void free_texts(char **texts) {
  for (size_t at = 0; texts != NULL && texts[at] != NULL; at++) free(texts[at]);
  free(texts);
}

struct start {
  char **words, **variables;
  const char *folder;
  int files[3], is_leader;
};

/* In the new process. Writes the errno of what fails to `report`, which an exec closes. */
static void become(const struct start *start, int report) {
  int error = 0;
  reset_signals();
  if (start->is_leader) setsid();
  for (int stream = 0; stream < 3 && error == 0; stream++) {
    /* A file that is already there would keep O_CLOEXEC. */
    if (start->files[stream] == stream) fcntl(stream, F_SETFD, 0);
    else if (dup2(start->files[stream], stream) < 0) error = errno;
  }
  if (error == 0 && start->folder != NULL && chdir(start->folder) < 0) error = errno;
  if (error == 0) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    environ = start->variables;
    execvp(start->words[0], start->words);
    error = errno;
  }
  ssize_t written = write(report, &error, sizeof error);
  (void)written;
  _exit(127);
}

/* @returns the process, or a negative errno, also for what keeps the program from being run */
static int start_program(const struct start *start) {
  int report[2], error = 0;
  if (pipe2(report, O_CLOEXEC) < 0) return -errno;
  pid_t process = fork();
  if (process < 0) error = errno;
  if (process == 0) become(start, report[1]);
  close(report[1]);
  if (error == 0 && read(report[0], &error, sizeof error) != sizeof error) error = 0;
  close(report[0]);
  if (error == 0) return process;
  if (process > 0) waitpid(process, NULL, 0);
  return -error;
}

static void close_all(const int *files, int count) {
  for (int at = 0; at < count; at++)
    if (files[at] > 2) close(files[at]);
}

/*
 * (words, environment, folder or undefined, stdin: a file, -1 for none, -2 for a pipe, leads a session) ->
 * [process, our end of stdin or -1, of stdout, of stderr]. Our ends do not block.
 */
CALL(start) {
  UNUSED;
  int input = (int)number(js, arg[3]);
  /* Ours and theirs of each stream. */
  int ours[3] = {-1, -1, -1}, theirs[3] = {input, -1, -1};
  int failed = 0;
  for (int stream = input == -2 ? 0 : 1; stream < 3 && !failed; stream++) {
    int ends[2];
    failed = pipe2(ends, O_CLOEXEC) < 0;
    if (failed) break;
    ours[stream] = ends[stream == 0];
    theirs[stream] = ends[stream != 0];
    fcntl(ours[stream], F_SETFL, O_NONBLOCK);
  }
  if (!failed && input == -1) failed = (theirs[0] = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0;
  const char *folder = JS_IsUndefined(arg[2]) ? NULL : JS_ToCString(js, arg[2]);
  struct start start = {texts_of(js, arg[0]), texts_of(js, arg[1]), folder, {theirs[0], theirs[1], theirs[2]},
                        JS_ToBool(js, arg[4])};
  int process = failed ? -errno : start_program(&start);
  free_texts(start.words);
  free_texts(start.variables);
  if (folder != NULL) JS_FreeCString(js, folder);
  close_all(theirs + (input >= 0), 3 - (input >= 0));
  if (process < 0) {
    close_all(ours, 3);
    return JS_NewInt32(js, process);
  }
  JSValue list = JS_NewArray(js);
  JS_SetPropertyUint32(js, list, 0, JS_NewInt32(js, process));
  for (int stream = 0; stream < 3; stream++)
    JS_SetPropertyUint32(js, list, stream + 1, JS_NewInt32(js, ours[stream]));
  return list;
}

/* (process) -> undefined while it runs, then [exit status or -1, signal or 0] */
CALL(ended) {
  UNUSED;
  int status;
  if (waitpid((pid_t)number(js, arg[0]), &status, WNOHANG) <= 0) return JS_UNDEFINED;
  JSValue list = JS_NewArray(js);
  JS_SetPropertyUint32(js, list, 0, JS_NewInt32(js, WIFEXITED(status) ? WEXITSTATUS(status) : -1));
  JS_SetPropertyUint32(js, list, 1, JS_NewInt32(js, WIFSIGNALED(status) ? WTERMSIG(status) : 0));
  return list;
}

/* (exit status) */
CALL(end) {
  UNUSED;
  _exit((int)number(js, arg[0]));
}

/* ---- The start ---- */

/* What the bundle does when no job is left. It returns whether there is still something to wait for. */
static JSValue turn = {0};

/* (function) */
CALL(on_idle) {
  UNUSED;
  turn = JS_DupValue(js, arg[0]);
  return JS_UNDEFINED;
}

static const struct call command_calls[] = {
    {"end", end, 1},
    {"openWith", open_with, 3},
    {"removeFile", remove_file, 1},
    {"removeFolder", remove_folder, 1},
    {"makeFolder", make_folder, 2},
    {"access", may_access, 2},
    {"realPath", real_path, 1},
    {"makeTemporary", make_temporary, 1},
    {"giveName", give_name, 3},
    {"statusWhole", status_whole, 2},
    {"readSome", read_some, 3},
    {"writeSome", write_some, 3},
    {"truncate", truncate_file, 2},
    {"sync", sync_file, 1},
    {"changeMode", change_mode, 2},
    {"changeOwner", change_owner, 3},
    {"isTerminal", is_terminal, 1},
    {"encodeUtf8", encode_utf8, 1},
    {"decodeLeniently", decode_leniently, 1},
    {"about", about, 0},
    {"variables", variables, 0},
    {"random", random_bytes, 1},
    {"heed", heed, 2},
    {"arrived", arrived, 0},
    {"send", send, 2},
    {"poll", poll_files, 3},
    {"start", start, 5},
    {"ended", ended, 1},
    {"onIdle", on_idle, 1},
};

/* A document of 16 MiB may have a hundred thousand elements. */
static const size_t MOST_MEMORY_BYTES = (size_t)2 << 30;

/* Of a failure that the bundle did not report. */
enum { BUG = 70 };

static int fail(JSContext *js, JSValue error) {
  const char *message = JS_ToCString(js, error);
  const char *trace = JS_ToCString(js, JS_GetPropertyStr(js, error, "stack"));
  dprintf(2, "error[bug]: virt-numa failed: %s\n%s", message == NULL ? "out of memory" : message,
          trace == NULL ? "" : trace);
  return BUG;
}

int main(int count, char **words) {
  clock_gettime(CLOCK_MONOTONIC, &started);
  arg_count = count;
  args = words;
  reset_signals();
  /* As Node does: what is written tells of a pipe without reader, and of a file that may not grow. */
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  if (open_streams() < 0 || pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) < 0) return BUG;
  set_handler(SIGCHLD, on_signal);
  JSContext *js =
      start_engine(MOST_MEMORY_BYTES, command_calls, sizeof command_calls / sizeof *command_calls);
  if (js == NULL) return BUG;
  JS_AddIntrinsicWeakRef(js);
  JSValue ran = run_first_module(js);
  if (JS_IsException(ran)) return fail(js, JS_GetException(js));
  for (;;) {
    JSContext *other;
    int jobs;
    while ((jobs = JS_ExecutePendingJob(JS_GetRuntime(js), &other)) > 0) continue;
    if (jobs < 0) return fail(other, JS_GetException(other));
    /* What a module throws rejects its promise. */
    if (JS_PromiseState(js, ran) == JS_PROMISE_REJECTED) return fail(js, JS_PromiseResult(js, ran));
    JSValue more = JS_Call(js, turn, JS_UNDEFINED, 0, NULL);
    if (JS_IsException(more)) return fail(js, JS_GetException(js));
    /* A bundle that is done ends the process itself. */
    if (!JS_ToBool(js, more)) return BUG;
  }
}
