/*
 * The calls that change the ledger of promises (src/machine/ledger), included by hook.c. All paths are in a
 * folder that only root can write to, and no link is followed.
 */

/* (path): the folder, of mode 0700 and this user's. @returns 0 */
CALL(own_folder) {
  UNUSED;
  const char *path = JS_ToCString(js, arg[0]);
  if (path == NULL) return JS_EXCEPTION;
  struct stat found;
  int error = 0;
  if (mkdir(path, 0700) < 0 && errno != EEXIST) error = errno;
  else if (lstat(path, &found) < 0) error = errno;
  else if (!S_ISDIR(found.st_mode)) error = ENOTDIR;
  else if (found.st_uid != geteuid()) error = EPERM;
  else if ((found.st_mode & 0777) != 0700 && chmod(path, 0700) < 0) error = errno;
  JS_FreeCString(js, path);
  return JS_NewInt32(js, -error);
}

/* (target, path) */
CALL(make_link) {
  UNUSED;
  const char *target = JS_ToCString(js, arg[0]), *path = JS_ToCString(js, arg[1]);
  if (target == NULL || path == NULL) return JS_EXCEPTION;
  int error = symlink(target, path) < 0 ? errno : 0;
  JS_FreeCString(js, target);
  JS_FreeCString(js, path);
  return JS_NewInt32(js, -error);
}

CALL(remove_file) {
  UNUSED;
  const char *path = JS_ToCString(js, arg[0]);
  if (path == NULL) return JS_EXCEPTION;
  int error = unlink(path) < 0 ? errno : 0;
  JS_FreeCString(js, path);
  return JS_NewInt32(js, -error);
}

/* (path, text): a file that must not exist */
CALL(write_new) {
  UNUSED;
  size_t length;
  const char *path = JS_ToCString(js, arg[0]), *text = JS_ToCStringLen(js, &length, arg[1]);
  if (path == NULL || text == NULL) return JS_EXCEPTION;
  int error = 0;
  int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) error = errno;
  else {
    ssize_t written = write(file, text, length);
    if (written < 0) error = errno;
    else if ((size_t)written < length) error = EIO;
    close(file);
  }
  JS_FreeCString(js, path);
  JS_FreeCString(js, text);
  return JS_NewInt32(js, -error);
}

/* At `started`, `stopped` and `release`: nothing is promised to this guest any longer. Never fails. */
static void drop_promise(const char *guest) {
  char path[512];
  int length = snprintf(path, sizeof path, "%s/%s%s", LEDGER, guest, PROMISE_SUFFIX);
  if (*guest == '\0' || strchr(guest, '/') != NULL) return;
  if (length > 0 && (size_t)length < sizeof path) unlink(path);
}
