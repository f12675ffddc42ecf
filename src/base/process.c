/* SPDX-License-Identifier: MIT */
/* base/process.c - starting and ending processes of this program. */
#include "base/process.h"

#include "base/clock.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOK_MS = 10 };

extern char **environ;

/* Whether a variable ("NAME=value") is by its name what such a process must not know. */
static bool is_secret(const char *variable) {
    static const char *const words[] = {"KEY", "TOKEN", "SECRET", "PASSWORD"};
    size_t name = strcspn(variable, "=");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        for (size_t at = 0, n = strlen(words[i]); at + n <= name; at++)
            if (!strncasecmp(variable + at, words[i], n))
                return true;
    return false;
}

char **lp_process_environment(struct lp_error *err) {
    size_t n = 0, kept = 0;
    while (environ[n])
        n++;
    char **environment = lp_alloc_array(n + 1, sizeof *environment);
    for (size_t i = 0; environment && i < n; i++)
        if (!is_secret(environ[i]))
            environment[kept++] = environ[i];
    if (!environment)
        lp_error_memory(err);
    return environment;
}

/* The error number. */
static int spawn(pid_t *pid, const char *program, const char *const *argument, char *const *environment, int socket) {
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    int failed = posix_spawn_file_actions_adddup2(&files, socket, STDIN_FILENO);
    failed = failed ? failed : posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    failed = failed ? failed : posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    failed = failed ? failed : posix_spawn(pid, program, &files, NULL, (char *const *)argument, environment);
    posix_spawn_file_actions_destroy(&files);
    return failed;
}

bool lp_process_start(struct lp_process *p, const char *program, const char *const *argument, char *const *environment,
                      struct lp_error *err) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        return lp_error_set(err, LP_EIO, "no process can be started for it: %s", strerror(errno));
    int failed =
        fcntl(ends[0], F_SETFL, O_NONBLOCK) ? errno : spawn(&p->pid, program, argument, environment, ends[1]);
    close(ends[1]);
    p->socket = ends[0];
    if (!failed)
        return true;
    close(ends[0]);
    p->pid = 0;
    return lp_error_set(err, LP_EIO, "no process can be started for it: %s", strerror(failed));
}

bool lp_process_lives(struct lp_process *p) {
    if (p->pid && waitpid(p->pid, &(int){0}, WNOHANG)) {
        close(p->socket);
        p->pid = 0;
    }
    return p->pid;
}

int64_t lp_process_memory_mib(const struct lp_process *p) {
    char path[40], line[200];
    long long anonymous = 0, swapped = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)p->pid);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f)) {
        sscanf(line, "RssAnon: %lld", &anonymous);
        sscanf(line, "VmSwap: %lld", &swapped);
    }
    if (f)
        fclose(f);
    return (anonymous + swapped) >> 10;
}

struct lp_watch lp_watch_begin(const struct lp_process *p, int64_t memory_mib, double wait_s) {
    return (struct lp_watch){p, memory_mib, lp_clock_ms() + 1000 * wait_s, 0};
}

enum lp_watched lp_watch_look(struct lp_watch *w) {
    double now = lp_clock_ms();
    if (now > w->until_ms)
        return LP_WATCH_LATE;
    if (!w->memory_mib || now - w->looked_ms < LOOK_MS)
        return LP_WATCH_FINE;
    w->looked_ms = now;
    return lp_process_memory_mib(w->process) > w->memory_mib ? LP_WATCH_LARGE : LP_WATCH_FINE;
}

int lp_process_end(struct lp_process *p) {
    int status = 0;
    if (!p->pid)
        return 0;
    kill(p->pid, SIGKILL);
    close(p->socket);
    while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR) {
    }
    p->pid = 0;
    return status;
}

bool lp_process_explain(const char *what, int status, enum lp_code code, struct lp_error *err) {
    if (WIFSIGNALED(status))
        return lp_error_set(err, code, "%s ended unexpectedly (%s)", what, strsignal(WTERMSIG(status)));
    return lp_error_set(err, code, "%s ended unexpectedly (exit status %d)", what, WEXITSTATUS(status));
}

/* Whatever else the process is at. */
static void *end_with_parent(void *context) {
    struct pollfd p = {.fd = STDIN_FILENO};
    (void)context;
    while (poll(&p, 1, -1) < 0) {
    }
    kill(getpid(), SIGKILL);
    return NULL;
}

bool lp_process_know_its_place(void) {
    int kind;
    socklen_t n = sizeof kind;
    pthread_t thread;
    if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &kind, &n) || kind != SOCK_STREAM ||
        pthread_create(&thread, NULL, end_with_parent, NULL))
        return false;
    pthread_detach(thread);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "1000", 4) != 4)
        fprintf(stderr, "llava-plus: the kernel may end the server before its child when memory runs out\n");
    if (fd >= 0)
        close(fd);
    return true;
}
