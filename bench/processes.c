/*
 * Runs programs as libvirtd runs a hook, with pipes for stdin, stdout and stderr, and prints what each run
 * took. It is small and static, so that the start of a program costs what it costs a small parent, and the
 * peak memory of a child is its own.
 *
 *   processes rounds N <programs     every program in turn, N times: "index ms peak-KiB cpu-ms" for each run
 *   processes flight N <programs     the first program N times one after another, then N times at once:
 *                                    "sum-ms total-ms"
 *
 * A program is a line: input file, file with the expected stdout or "-", VIRT_NUMA_CONFIG or "-", and its
 * words, between tabs. A run that ends with another status than 0, or prints anything else, ends this program
 * with status 1.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_PROGRAMS = 64, MOST_WORDS = 16, MOST_FLIGHT = 1000, PIECE = 65536 };

struct program {
  const char *input, *expected, *config;
  char *words[MOST_WORDS];
};

/* One process and our ends of its streams; -1 for what is closed. */
struct run {
  const struct program *program;
  pid_t process;
  int in, out, err, source, expected;
  size_t filled, sent; /* of its piece of the input */
  char piece[4096];
};

static struct program programs[MOST_PROGRAMS];
static int program_count;

static void fail(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static void start(struct run *run, const struct program *program) {
  char config[512] = "VIRT_NUMA_CONFIG=";
  char *environment[] = {"HOME=/root", "LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", config, NULL};
  if (*program->config == '-') environment[3] = NULL;
  else strncat(config, program->config, sizeof config - strlen(config) - 1);
  int in[2], out[2], err[2];
  if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
    fail("pipe", strerror(errno));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawn_file_actions_adddup2(&actions, err[1], 2);
  int error = posix_spawn(&run->process, program->words[0], &actions, NULL, program->words, environment);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) fail(program->words[0], strerror(error));
  close(in[0]), close(out[1]), close(err[1]);
  fcntl(in[1], F_SETFL, O_NONBLOCK);
  run->program = program;
  run->in = in[1], run->out = out[0], run->err = err[0];
  run->filled = run->sent = 0;
  run->source = open(program->input, O_RDONLY | O_CLOEXEC);
  run->expected = *program->expected == '-' ? -1 : open(program->expected, O_RDONLY | O_CLOEXEC);
  if (run->source < 0) fail(program->input, strerror(errno));
}

static void drop(int *file) {
  close(*file);
  *file = -1;
}

/* Writes what the pipe takes; a program need not read its input. */
static void feed(struct run *run) {
  if (run->sent == run->filled) {
    ssize_t got = read(run->source, run->piece, sizeof run->piece);
    if (got <= 0) {
      drop(&run->in);
      return;
    }
    run->filled = got, run->sent = 0;
  }
  ssize_t put = write(run->in, run->piece + run->sent, run->filled - run->sent);
  if (put > 0) run->sent += put;
  else if (errno != EAGAIN) drop(&run->in);
}

static void judge(struct run *run) {
  static char got[PIECE], wanted[PIECE];
  ssize_t length = read(run->out, got, sizeof got);
  if (length <= 0) {
    if (run->expected >= 0 && read(run->expected, wanted, 1) > 0)
      fail(run->program->words[0], "its output is too short");
    drop(&run->out);
    return;
  }
  if (run->expected < 0 || read(run->expected, wanted, length) != length || memcmp(got, wanted, length) != 0)
    fail(run->program->words[0], "its output is another than expected");
}

static void show(struct run *run) {
  static char text[PIECE];
  ssize_t length = read(run->err, text, sizeof text);
  if (length > 0) fwrite(text, 1, length, stderr);
  else drop(&run->err);
}

/* Serves the streams of all runs until they are closed. */
static void serve(struct run *runs, int count) {
  static struct pollfd files[3 * MOST_FLIGHT];
  for (;;) {
    int open_streams = 0;
    for (int at = 0; at < count; at++) {
      struct run *run = &runs[at];
      files[3 * at] = (struct pollfd){run->in, POLLOUT, 0};
      files[3 * at + 1] = (struct pollfd){run->out, POLLIN, 0};
      files[3 * at + 2] = (struct pollfd){run->err, POLLIN, 0};
      open_streams += run->out >= 0 || run->err >= 0;
    }
    if (open_streams == 0) return;
    poll(files, 3 * count, -1);
    for (int at = 0; at < count; at++) {
      if (files[3 * at].revents != 0) feed(&runs[at]);
      if (files[3 * at + 1].revents != 0) judge(&runs[at]);
      if (files[3 * at + 2].revents != 0) show(&runs[at]);
    }
  }
}

static struct rusage finish(struct run *run) {
  int status;
  struct rusage used;
  wait4(run->process, &status, 0, &used);
  if (run->in >= 0) drop(&run->in);
  if (run->expected >= 0) drop(&run->expected);
  drop(&run->source);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fail(run->program->words[0], "it has failed");
  return used;
}

static void rounds(int count) {
  static struct run run;
  for (int round = 0; round < count; round++)
    for (int at = 0; at < program_count; at++) {
      double began = now_ms();
      start(&run, &programs[at]);
      serve(&run, 1);
      struct rusage used = finish(&run);
      double took = now_ms() - began;
      double cpu = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3;
      cpu += (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3;
      printf("%d %.4f %ld %.4f\n", at, took, used.ru_maxrss, cpu);
    }
}

static void flight(int count) {
  static struct run runs[MOST_FLIGHT];
  double began = now_ms();
  for (int at = 0; at < count; at++) {
    start(&runs[at], &programs[0]);
    serve(&runs[at], 1);
    finish(&runs[at]);
  }
  double sum = now_ms() - began;
  began = now_ms();
  for (int at = 0; at < count; at++) start(&runs[at], &programs[0]);
  serve(runs, count);
  for (int at = 0; at < count; at++) finish(&runs[at]);
  printf("%.2f %.2f\n", sum, now_ms() - began);
}

int main(int count, char **words) {
  if (count != 3 || atoi(words[2]) > MOST_FLIGHT) fail(words[0], "rounds N, or flight N");
  static char text[PIECE];
  if (read(0, text, sizeof text - 1) < 0) fail("stdin", strerror(errno));
  for (char *line, *lines = text; (line = strsep(&lines, "\n")) != NULL && *line != '\0';) {
    struct program *program = &programs[program_count++];
    program->input = strsep(&line, "\t");
    program->expected = strsep(&line, "\t");
    program->config = strsep(&line, "\t");
    for (int at = 0; line != NULL && at < MOST_WORDS - 1; at++) program->words[at] = strsep(&line, "\t");
  }
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  signal(SIGPIPE, SIG_IGN);
  if (strcmp(words[1], "flight") == 0) flight(atoi(words[2]));
  else rounds(atoi(words[2]));
}
