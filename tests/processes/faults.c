// Faults at the calls to the file system, for the files below one directory.
//
// Loaded into a worker with LD_PRELOAD. The worker tells it what to do by opening paths that do
// not exist:
//
//   /fault/arm CLASS ERROR MODE K DIRECTORY   the K-th call of a class (or of `all`) fails, `once`
//                                             or from then on (`always`)
//   /fault/hold FIFO                          the next sync waits until somebody opens the FIFO
//   /fault/pause, /fault/resume               this thread's calls do not count
//   /fault/state                              reads as what has happened since it was armed
//
// ERROR is a number for `errno`, or `full` (a write stores half, the later ones have no space),
// `die` (the process is killed instead) or `tear` (it is killed after half of a write).
//
// A sync is not made but kept in mind, as a disk would: how much of each file is on it, what was
// lost when a sync failed (the system reports that once), and whether the file's name is there.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(name) *)real(#name))
enum { NONE = 0, FULL = -1, DIE = -2, TEAR = -3 };

struct file { ino_t inode, directory; off_t synced, lost_from, lost_to; int is_named; };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char directory[4096], class[16], gate[4096];
static int error, is_always, is_fired;
static long wanted, count;
static struct file files[256];
static size_t file_count;
static __thread int is_paused;

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

static int is_below(const char *path) {
    size_t length = strlen(directory);
    return length && !strncmp(path, directory, length) && (path[length] == '/' || !path[length]);
}

static int is_ours(int fd) {
    char link[64], path[4096];
    if (fd < 3 || !*directory) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = syscall(SYS_readlink, link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return is_below(path);
}

// Rust asks once whether there is a statx, with a path that is null, which C does not believe.
static int is_there(const void *volatile pointer) { return pointer != NULL; }

// Counts a call, and tells how it ends if it is the one.
static int fault(const char *name) {
    if (is_paused || !*class || (strcmp(class, "all") && strcmp(class, name))) return NONE;
    pthread_mutex_lock(&mutex);
    count++;
    int is_due = count == wanted || (count > wanted && is_always);
    int told = is_due ? error : NONE;
    if (is_due && is_fired && error == FULL) told = ENOSPC;
    if (is_due) is_fired = 1;
    pthread_mutex_unlock(&mutex);
    if (told == DIE) kill(getpid(), SIGKILL);
    return told;
}

#define FAIL(name, is_meant)                                    \
    do {                                                        \
        int told = (is_meant) ? fault(name) : NONE;             \
        if (told != NONE) { errno = told > 0 ? told : EIO; return -1; } \
    } while (0)

static struct file *file(const struct stat *stat) {
    for (size_t i = 0; i < file_count; i++)
        if (files[i].inode == stat->st_ino) return &files[i];
    if (file_count == 256) abort();
    files[file_count] = (struct file){.inode = stat->st_ino, .is_named = 1};
    return &files[file_count++];
}

static int state(void) {
    int fd = syscall(SYS_memfd_create, "state", 0);
    pthread_mutex_lock(&mutex);
    dprintf(fd, "%ld %d\n", count, is_fired);
    for (size_t i = 0; i < file_count; i++)
        dprintf(fd, "%lu %ld %ld %ld %d\n", files[i].inode, files[i].synced, files[i].lost_from,
                files[i].lost_to, files[i].is_named);
    pthread_mutex_unlock(&mutex);
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static int command(const char *text) {
    char name[16], mode[16], below[4096];
    if (!strcmp(text, "state")) return state();
    if (!strcmp(text, "pause")) is_paused = 1;
    if (!strcmp(text, "resume")) is_paused = 0;
    sscanf(text, "hold %4095s", gate);
    pthread_mutex_lock(&mutex);
    if (sscanf(text, "arm %15s %15s %15s %ld %4095s", class, name, mode, &wanted, below) == 5) {
        error = !strcmp(name, "full") ? FULL : !strcmp(name, "die") ? DIE
            : !strcmp(name, "tear") ? TEAR : atoi(name);
        is_always = !strcmp(mode, "always");
        is_fired = count = file_count = 0;
        strcpy(directory, below);
    }
    pthread_mutex_unlock(&mutex);
    errno = ENOENT;
    return -1;
}

int open64(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    if (!strncmp(path, "/fault/", 7)) return command(path + 7);
    int is_meant = is_below(path);
    FAIL("open", is_meant);
    int is_new = is_meant && flags & O_CREAT && syscall(SYS_access, path, F_OK);
    int fd = REAL(open64)(path, flags, mode);
    struct stat stat;
    if (is_new && fd >= 0 && !syscall(SYS_fstat, fd, &stat)) {
        char parent[4096];
        strcpy(parent, path);
        *strrchr(parent, '/') = 0;
        pthread_mutex_lock(&mutex);
        struct file *made = file(&stat);
        *made = (struct file){.inode = stat.st_ino};
        if (!syscall(SYS_stat, parent, &stat)) made->directory = stat.st_ino;
        pthread_mutex_unlock(&mutex);
    }
    return fd;
}

ssize_t write(int fd, const void *bytes, size_t length) {
    if (!is_ours(fd)) return REAL(write)(fd, bytes, length);
    int told = fault("write");
    if (told > 0) { errno = told; return -1; }
    if (told == FULL || told == TEAR) length /= 2;
    ssize_t written = REAL(write)(fd, bytes, length);
    if (told == TEAR) kill(getpid(), SIGKILL);
    return written;
}

static int synced(int fd) {
    if (*gate) {
        char path[4096];
        strcpy(path, gate);
        *gate = 0;
        close(REAL(open64)(path, O_RDONLY));
    }
    int told = fault("sync");
    struct stat stat;
    syscall(SYS_fstat, fd, &stat);
    pthread_mutex_lock(&mutex);
    struct file *known = S_ISDIR(stat.st_mode) ? NULL : file(&stat);
    for (size_t i = 0; told == NONE && !known && i < file_count; i++)
        if (files[i].directory == stat.st_ino) files[i].is_named = 1;
    if (known && told == NONE) known->synced = stat.st_size;
    if (known && told != NONE && told != EINTR && stat.st_size > known->synced) {
        if (known->lost_from == known->lost_to) known->lost_from = known->synced;
        known->lost_to = stat.st_size;
    }
    pthread_mutex_unlock(&mutex);
    errno = told > 0 ? told : EIO;
    return told == NONE ? 0 : -1;
}
int fdatasync(int fd) { return is_ours(fd) ? synced(fd) : REAL(fdatasync)(fd); }
int fsync(int fd) { return is_ours(fd) ? synced(fd) : REAL(fsync)(fd); }

int ftruncate64(int fd, off64_t length) {
    int is_meant = is_ours(fd);
    FAIL("cut", is_meant);
    int cut = REAL(ftruncate64)(fd, length);
    struct stat stat;
    if (is_meant && !cut && !syscall(SYS_fstat, fd, &stat)) {
        pthread_mutex_lock(&mutex);
        struct file *known = file(&stat);
        if (known->synced > length) known->synced = length;
        if (known->lost_to > length) known->lost_to = length;
        if (known->lost_from > length) known->lost_from = length;
        pthread_mutex_unlock(&mutex);
    }
    return cut;
}

// The rest only fails.
#define AROUND(type, name, kind, is_meant, parameters, arguments) \
    type name parameters {                                        \
        FAIL(kind, is_meant);                                     \
        return REAL(name) arguments;                              \
    }
AROUND(int, flock, "flock", is_ours(fd), (int fd, int how), (fd, how))
AROUND(ssize_t, read, "read", is_ours(fd), (int fd, void *to, size_t n), (fd, to, n))
AROUND(off64_t, lseek64, "seek", is_ours(fd), (int fd, off64_t to, int from), (fd, to, from))
AROUND(int, rename, "rename", is_below(to), (const char *from, const char *to), (from, to))
AROUND(int, unlink, "unlink", is_below(path), (const char *path), (path))
AROUND(int, mkdir, "mkdir", is_below(path), (const char *path, mode_t mode), (path, mode))
AROUND(int, stat64, "stat", is_below(path), (const char *path, struct stat64 *to), (path, to))
AROUND(int, lstat64, "stat", is_below(path), (const char *path, struct stat64 *to), (path, to))
AROUND(int, fstat64, "stat", is_ours(fd), (int fd, struct stat64 *to), (fd, to))
AROUND(int, statx, "stat", is_there(path) && (*path ? is_below(path) : is_ours(fd)),
       (int fd, const char *path, int flags, unsigned mask, struct statx *to),
       (fd, path, flags, mask, to))

DIR *opendir(const char *path) {
    int told = is_below(path) ? fault("list") : NONE;
    if (told == NONE) return REAL(opendir)(path);
    errno = told > 0 ? told : EIO;
    return NULL;
}

struct dirent64 *readdir64(DIR *listed) {
    int told = is_ours(dirfd(listed)) ? fault("list") : NONE;
    if (told == NONE) return REAL(readdir64)(listed);
    errno = told > 0 ? told : EIO;
    return NULL;
}
