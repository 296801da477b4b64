/*
 * What the native programs share: the start of QuickJS, and the calls by which a bundle reads. Each program
 * includes this file, and adds its own calls.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "quickjs.h"
#include <zlib.h>

#include "arena.h"

#include "modules.h" /* generated: the bytecode of the modules */

enum {
  STACK_BYTES = 4 << 20,
  COLLECT_BYTES = 64 << 20, /* most runs end below, and never search for cycles */
};

static struct timespec started;
/* When a file that is not ready is given up. */
static double deadline_ms = INFINITY;
static int arg_count;
static char **args;

static double elapsed_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (now.tv_sec - started.tv_sec) * 1e3 + (now.tv_nsec - started.tv_nsec) / 1e6;
}

/* Waits until the file is ready. @returns 0, or ETIMEDOUT */
static int wait_ready(int file, short events) {
  for (;;) {
    double left = deadline_ms - elapsed_ms();
    if (left <= 0) return ETIMEDOUT;
    struct pollfd each = {file, events, 0};
    int ready = poll(&each, 1, left < 1e9 ? (int)left + 1 : -1);
    if (ready > 0 || (ready < 0 && errno != EINTR)) return 0;
  }
}

/* ---- Calls of the bundle. A number below 0 is a negative errno. ---- */

#define CALL(name) static JSValue name(JSContext *js, JSValueConst self, int count, JSValueConst *arg)
#define UNUSED (void)self, (void)count, (void)arg

static JSValue result(JSContext *js, long value) { return JS_NewInt64(js, value < 0 ? -errno : value); }

static double number(JSContext *js, JSValueConst value) {
  double found = 0;
  JS_ToFloat64(js, &found, value);
  return found;
}

/* The bytes of a Uint8Array, or NULL. They live as long as the array does. */
static uint8_t *bytes_of(JSContext *js, JSValueConst array, size_t *length) {
  size_t offset, each, whole;
  JSValue buffer = JS_GetTypedArrayBuffer(js, array, &offset, length, &each);
  if (JS_IsException(buffer)) return NULL;
  uint8_t *bytes = JS_GetArrayBuffer(js, &whole, buffer);
  JS_FreeValue(js, buffer);
  return bytes == NULL ? NULL : bytes + offset;
}

CALL(arguments) {
  UNUSED;
  JSValue list = JS_NewArray(js);
  for (int at = 1; at < arg_count; at++) JS_SetPropertyUint32(js, list, at - 1, JS_NewString(js, args[at]));
  return list;
}

CALL(environment) {
  UNUSED;
  const char *name = JS_ToCString(js, arg[0]);
  if (name == NULL) return JS_EXCEPTION;
  const char *value = getenv(name);
  JS_FreeCString(js, name);
  return value == NULL ? JS_UNDEFINED : JS_NewString(js, value);
}

CALL(elapsed) {
  UNUSED;
  return JS_NewFloat64(js, elapsed_ms());
}

/* (path or file, follows links). @returns undefined where it was found, else what the call returns */
static JSValue find_status(JSContext *js, JSValueConst *arg, struct stat *found) {
  if (JS_IsNumber(arg[0]))
    return fstat((int)number(js, arg[0]), found) < 0 ? result(js, -1) : JS_UNDEFINED;
  const char *path = JS_ToCString(js, arg[0]);
  if (path == NULL) return JS_EXCEPTION;
  int failed = JS_ToBool(js, arg[1]) ? stat(path, found) : lstat(path, found);
  JSValue problem = failed < 0 ? result(js, -1) : JS_UNDEFINED;
  JS_FreeCString(js, path);
  return problem;
}

/* (path or file, follows links) -> [mode, size, rdev] */
CALL(status) {
  UNUSED;
  struct stat found;
  JSValue problem = find_status(js, arg, &found);
  if (!JS_IsUndefined(problem)) return problem;
  JSValue list = JS_NewArray(js);
  JS_SetPropertyUint32(js, list, 0, JS_NewInt64(js, found.st_mode));
  JS_SetPropertyUint32(js, list, 1, JS_NewInt64(js, found.st_size));
  JS_SetPropertyUint32(js, list, 2, JS_NewInt64(js, (int64_t)found.st_rdev));
  return list;
}

/* (path, 1 to fail instead of waiting for the writer of a pipe) -> file */
CALL(open_file) {
  UNUSED;
  const char *path = JS_ToCString(js, arg[0]);
  if (path == NULL) return JS_EXCEPTION;
  int file = open(path, O_RDONLY | O_CLOEXEC | (JS_ToBool(js, arg[1]) ? O_NONBLOCK : 0));
  int error = errno;
  JS_FreeCString(js, path);
  errno = error;
  return result(js, file);
}

CALL(close_file) {
  UNUSED;
  return result(js, close((int)number(js, arg[0])));
}

/* The content of one call of read_all; most files of a kernel fit into it. */
static uint8_t first_bytes[1 << 16];

/* (file, most) -> an ArrayBuffer with one byte more than `most` where there are more */
CALL(read_all) {
  UNUSED;
  int file = (int)number(js, arg[0]);
  size_t most = (size_t)number(js, arg[1]) + 1, size = sizeof first_bytes, done = 0;
  uint8_t *bytes = first_bytes;
  int error = 0;
  while (done < most) {
    if (done == size) {
      uint8_t *larger = malloc(size * 2);
      if (larger == NULL) {
        error = ENOMEM;
        break;
      }
      memcpy(larger, bytes, done);
      if (bytes != first_bytes) free(bytes);
      bytes = larger;
      size *= 2;
    }
    /* The writer of stdin may stall. */
    if (file == 0 && (error = wait_ready(file, POLLIN)) != 0) break;
    ssize_t got = read(file, bytes + done, (size < most ? size : most) - done);
    if (got == 0) break;
    if (got > 0) done += got;
    else if (errno == EAGAIN) error = wait_ready(file, POLLIN);
    else if (errno != EINTR) error = errno;
    if (error != 0) break;
  }
  JSValue all = error != 0 ? JS_NewInt32(js, -error) : JS_NewArrayBufferCopy(js, bytes, done);
  if (bytes != first_bytes) free(bytes);
  return all;
}

/* (file, text): 0 when all of it is written. Small writes after poll never block. */
CALL(write_all) {
  UNUSED;
  int file = (int)number(js, arg[0]);
  size_t length, done = 0;
  const char *text = JS_ToCStringLen(js, &length, arg[1]);
  if (text == NULL) return JS_EXCEPTION;
  int error = 0;
  while (error == 0 && done < length) {
    if ((error = wait_ready(file, POLLOUT)) != 0) break;
    ssize_t written = write(file, text + done, length - done < 4096 ? length - done : 4096);
    if (written > 0) done += written;
    else if (written == 0) error = EIO;
    else if (errno != EINTR && errno != EAGAIN) error = errno;
  }
  JS_FreeCString(js, text);
  return JS_NewInt32(js, -error);
}

static int by_bytes(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* (path) -> the names in a folder, sorted */
CALL(list_folder) {
  UNUSED;
  const char *path = JS_ToCString(js, arg[0]);
  if (path == NULL) return JS_EXCEPTION;
  DIR *folder = opendir(path);
  int error = errno;
  JS_FreeCString(js, path);
  if (folder == NULL) return JS_NewInt32(js, -error);
  char **names = NULL;
  size_t size = 0, found = 0;
  error = 0;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    if (found == size) {
      char **more = realloc(names, (size = size == 0 ? 64 : size * 2) * sizeof *names);
      if (more == NULL) {
        error = ENOMEM;
        break;
      }
      names = more;
    }
    if ((names[found] = strdup(entry->d_name)) == NULL) {
      error = ENOMEM;
      break;
    }
    found++;
  }
  closedir(folder);
  if (found > 0) qsort(names, found, sizeof *names, by_bytes);
  JSValue list = error != 0 ? JS_NewInt32(js, -error) : JS_NewArray(js);
  for (size_t at = 0; at < found; at++) {
    if (error == 0) JS_SetPropertyUint32(js, list, at, JS_NewString(js, names[at]));
    free(names[at]);
  }
  free(names);
  return list;
}

/* (path) -> the target of a link */
CALL(read_link) {
  UNUSED;
  const char *path = JS_ToCString(js, arg[0]);
  if (path == NULL) return JS_EXCEPTION;
  char target[4096];
  ssize_t length = readlink(path, target, sizeof target);
  int error = errno;
  JS_FreeCString(js, path);
  return length < 0 ? JS_NewInt32(js, -error) : JS_NewStringLen(js, target, length);
}

CALL(wait_ms) {
  UNUSED;
  poll(NULL, 0, (int)number(js, arg[0]));
  return JS_UNDEFINED;
}

/* @returns the first byte of the first sequence that is not UTF-8, or the length */
static size_t valid_utf8(const uint8_t *bytes, size_t length) {
  size_t at = 0;
  while (at < length) {
    uint64_t eight;
    if (at + 8 <= length && (memcpy(&eight, bytes + at, 8), (eight & 0x8080808080808080ull) == 0)) {
      at += 8;
      continue;
    }
    uint8_t first = bytes[at];
    if (first < 0x80) {
      at++;
      continue;
    }
    size_t size = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (size == 0 || size > length - at) return at;
    for (size_t next = 1; next < size; next++)
      if ((bytes[at + next] & 0xc0) != 0x80) return at;
    uint8_t second = bytes[at + 1];
    int overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
    int surrogate = first == 0xed && second > 0x9f;
    if (overlong || surrogate || (first == 0xf4 && second > 0x8f)) return at;
    at += size;
  }
  return length;
}

/* (bytes) -> text, or the offset of what is not UTF-8 */
CALL(decode_utf8) {
  UNUSED;
  size_t length;
  const uint8_t *bytes = bytes_of(js, arg[0], &length);
  if (bytes == NULL && length > 0) return JS_EXCEPTION;
  size_t valid = valid_utf8(bytes, length);
  return valid < length ? JS_NewInt64(js, valid) : JS_NewStringLen(js, (const char *)bytes, length);
}

/* (bytes, text) -> the offset of its first occurrence, or -1 */
CALL(position) {
  UNUSED;
  size_t length, wanted;
  const uint8_t *bytes = bytes_of(js, arg[0], &length);
  const char *text = JS_ToCStringLen(js, &wanted, arg[1]);
  if (text == NULL) return JS_EXCEPTION;
  const uint8_t *found = bytes == NULL ? NULL : memmem(bytes, length, text, wanted);
  JS_FreeCString(js, text);
  return JS_NewInt64(js, found == NULL ? -1 : found - bytes);
}

/* ---- gzip ---- */

/* The unpacked bytes. `out` has room for one byte more than `most`, which nobody gets. */
struct unpacked {
  uint8_t *bytes;
  size_t size, length, most;
};

/* Gives the stream room. @returns 0 without memory */
static int make_room(z_stream *stream, struct unpacked *out) {
  if (out->length == out->size) {
    size_t size = out->size * 2 <= out->most ? out->size * 2 : out->most + 1;
    uint8_t *larger = realloc(out->bytes, size);
    if (larger == NULL) return 0;
    out->bytes = larger;
    out->size = size;
  }
  stream->next_out = out->bytes + out->length;
  stream->avail_out = out->size - out->length;
  return 1;
}

/* All members of a gzip file; what follows them may be zeros. @returns NULL, or what is wrong */
static const char *unpack(z_stream *stream, struct unpacked *out) {
  for (;;) {
    if (!make_room(stream, out)) return "not enough memory";
    int state = inflate(stream, Z_NO_FLUSH);
    out->length = out->size - stream->avail_out;
    if (out->length > out->most) return NULL;
    if (state == Z_STREAM_END) {
      if (stream->avail_in == 0 || *stream->next_in == 0) return NULL;
      inflateReset(stream);
    } else if (state == Z_BUF_ERROR || (state == Z_OK && stream->avail_in == 0 && stream->avail_out > 0))
      return "unexpected end of file";
    else if (state != Z_OK) return stream->msg == NULL ? "not enough memory" : stream->msg;
  }
}

static void free_unpacked(JSRuntime *runtime, void *opaque, void *bytes) {
  (void)runtime, (void)opaque;
  free(bytes);
}

/* (bytes, most) -> the unpacked bytes, true where they are more than `most`, or what is wrong, as a text */
CALL(gunzip) {
  UNUSED;
  size_t length;
  uint8_t *bytes = bytes_of(js, arg[0], &length);
  if (bytes == NULL && length > 0) return JS_EXCEPTION;
  struct unpacked out = {malloc(sizeof first_bytes), sizeof first_bytes, 0, (size_t)number(js, arg[1])};
  z_stream stream = {.next_in = bytes, .avail_in = length};
  const char *problem = "not enough memory";
  /* 15 bits of window, and 16 for gzip alone. */
  if (out.bytes != NULL && inflateInit2(&stream, 15 + 16) == Z_OK) {
    problem = unpack(&stream, &out);
    inflateEnd(&stream);
  }
  if (problem == NULL && out.length <= out.most)
    return JS_NewArrayBuffer(js, out.bytes, out.length, free_unpacked, NULL, 0);
  free(out.bytes);
  return problem == NULL ? JS_TRUE : JS_NewString(js, problem);
}

/* ---- Modules ---- */

/* The module of that name, with what it imports still to be found. */
static JSModuleDef *find_module(JSContext *js, const char *name, void *opaque) {
  (void)opaque;
  for (size_t at = 0; at < sizeof modules / sizeof *modules; at++) {
    if (strcmp(modules[at].name, name) != 0) continue;
    JSValue module = JS_ReadObject(js, modules[at].bytes, modules[at].size, JS_READ_OBJ_BYTECODE);
    if (JS_IsException(module)) return NULL;
    /* The context has a reference of its own. */
    JSModuleDef *found = JS_VALUE_GET_PTR(module);
    JS_FreeValue(js, module);
    return found;
  }
  JS_ThrowReferenceError(js, "there is no module %s", name);
  return NULL;
}

/* @returns the promise of its end, or an exception */
static JSValue run_module(JSContext *js, JSModuleDef *module) {
  JSValue value = JS_DupValue(js, JS_MKPTR(JS_TAG_MODULE, module));
  if (JS_ResolveModule(js, value) < 0) return JS_EXCEPTION;
  return JS_EvalFunction(js, value);
}

/* The first module. @returns as run_module */
static JSValue run_first_module(JSContext *js) {
  JSModuleDef *module = find_module(js, FIRST_MODULE, NULL);
  return module == NULL ? JS_EXCEPTION : run_module(js, module);
}

/* (name) -> what a module exports, which runs now; none of them awaits anything */
CALL(load) {
  UNUSED;
  const char *name = JS_ToCString(js, arg[0]);
  if (name == NULL) return JS_EXCEPTION;
  JSModuleDef *module = find_module(js, name, NULL);
  JS_FreeCString(js, name);
  if (module == NULL) return JS_EXCEPTION;
  JSValue ran = run_module(js, module);
  if (JS_IsException(ran)) return ran;
  int failed = JS_PromiseState(js, ran) == JS_PROMISE_REJECTED;
  JSValue problem = failed ? JS_PromiseResult(js, ran) : JS_UNDEFINED;
  JS_FreeValue(js, ran);
  return failed ? JS_Throw(js, problem) : JS_GetModuleNamespace(js, module);
}

/* ---- The start ---- */

struct call {
  const char *name;
  JSCFunction *call;
  int count;
};

static const struct call shared_calls[] = {
    {"arguments", arguments, 0},    {"environment", environment, 1}, {"elapsed", elapsed, 0},
    {"status", status, 2},          {"open", open_file, 2},          {"close", close_file, 1},
    {"readAll", read_all, 2},       {"writeAll", write_all, 2},      {"list", list_folder, 1},
    {"readLink", read_link, 1},     {"wait", wait_ms, 1},            {"position", position, 2},
    {"decodeUtf8", decode_utf8, 1}, {"load", load, 1},
    {"gunzip", gunzip, 2},
};

/* A closed stream would be the descriptor of the next file that is opened. */
static int open_streams(void) {
  for (int stream = 0; stream < 3; stream++)
    if (fcntl(stream, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0) return -1;
  return 0;
}

static size_t stack_bytes(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_STACK, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY) return STACK_BYTES;
  size_t most = limit.rlim_cur / 4 * 3;
  return most < STACK_BYTES ? most : STACK_BYTES;
}

static void add_calls(JSContext *js, JSValue system, const struct call *calls, size_t count) {
  for (size_t at = 0; at < count; at++)
    JS_SetPropertyStr(js, system, calls[at].name,
                      JS_NewCFunction(js, calls[at].call, calls[at].name, calls[at].count));
}

/* @returns a context whose global `system` has the calls, or NULL without memory */
static JSContext *start_engine(size_t most_bytes, const struct call *calls, size_t count) {
  JSRuntime *runtime = JS_NewRuntime2(&arena, NULL);
  if (runtime == NULL) return NULL;
  JS_SetMemoryLimit(runtime, most_bytes);
  JS_SetMaxStackSize(runtime, stack_bytes());
  JS_SetGCThreshold(runtime, COLLECT_BYTES);
  JS_SetModuleLoaderFunc(runtime, NULL, find_module, NULL);
  JSContext *js = JS_NewContextRaw(runtime);
  if (js == NULL) return NULL;
  JS_AddIntrinsicBaseObjects(js);
  JS_AddIntrinsicDate(js);
  JS_AddIntrinsicRegExpCompiler(js);
  JS_AddIntrinsicRegExp(js);
  JS_AddIntrinsicJSON(js);
  JS_AddIntrinsicMapSet(js);
  JS_AddIntrinsicTypedArrays(js);
  JS_AddIntrinsicPromise(js);
  JSValue system = JS_NewObject(js), global = JS_GetGlobalObject(js);
  add_calls(js, system, shared_calls, sizeof shared_calls / sizeof *shared_calls);
  add_calls(js, system, calls, count);
  JS_SetPropertyStr(js, global, "system", system);
  JS_FreeValue(js, global);
  return js;
}
