// Loaded into a process with LD_PRELOAD, it writes down every write, truncation and sync of a database and its
// write-ahead log, and every line on stdout, in the order in which they happen. power-cut.ts plays it back.
// A record: what (1 byte), which file (1), offset (8), length (4), then the bytes of writes and lines.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum { NONE = 0, DATABASE = 1, LOG = 2, STDOUT = 3 };

static int journal = -2;
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off_t);

static void prepare(void) {
  if (journal != -2) return;
  real_write = dlsym(RTLD_NEXT, "write");
  real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
  real_fsync = dlsym(RTLD_NEXT, "fsync");
  real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
  const char *path = getenv("POWER_JOURNAL");
  journal = path ? open(path, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
}

static int ends_with(const char *text, size_t length, const char *end) {
  size_t n = strlen(end);
  return length >= n && memcmp(text + length - n, end, n) == 0;
}

static int kind_of(int fd) {
  if (fd == 1) return STDOUT;
  char link[32], path[1024];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path);
  if (n <= 0) return NONE;
  if (ends_with(path, (size_t)n, "power.db") || ends_with(path, (size_t)n, "notes.db")) return DATABASE;
  if (ends_with(path, (size_t)n, "power.db-wal") || ends_with(path, (size_t)n, "notes.db-wal")) return LOG;
  return NONE;
}

static void put(char what, int kind, uint64_t offset, uint32_t length, const void *bytes) {
  if (journal < 0 || kind == NONE) return;
  unsigned char head[14];
  head[0] = (unsigned char)what;
  head[1] = (unsigned char)kind;
  memcpy(head + 2, &offset, 8);
  memcpy(head + 10, &length, 4);
  if (real_write(journal, head, sizeof head) != sizeof head) abort();
  if (bytes && real_write(journal, bytes, length) != (ssize_t)length) abort();
}

ssize_t write(int fd, const void *bytes, size_t length) {
  prepare();
  int kind = fd == journal ? NONE : kind_of(fd);
  off_t offset = kind == DATABASE || kind == LOG ? lseek(fd, 0, SEEK_CUR) : 0;
  // A line counts as said before it is: the reader may have it in the same instant.
  if (kind == STDOUT) put('L', kind, 0, (uint32_t)length, bytes);
  ssize_t n = real_write(fd, bytes, length);
  if (kind != STDOUT && n > 0) put('W', kind, (uint64_t)offset, (uint32_t)n, bytes);
  return n;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t offset) {
  prepare();
  ssize_t n = real_pwrite(fd, bytes, length, offset);
  if (n > 0) put('W', kind_of(fd), (uint64_t)offset, (uint32_t)n, bytes);
  return n;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return pwrite64(fd, bytes, length, offset); }

int fsync(int fd) {
  prepare();
  int result = real_fsync(fd);
  if (result == 0) put('S', kind_of(fd), 0, 0, NULL);
  return result;
}

int fdatasync(int fd) {
  prepare();
  int result = real_fdatasync(fd);
  if (result == 0) put('S', kind_of(fd), 0, 0, NULL);
  return result;
}

int ftruncate64(int fd, off_t length) {
  prepare();
  int result = real_ftruncate(fd, length);
  if (result == 0) put('T', kind_of(fd), (uint64_t)length, 0, NULL);
  return result;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }
