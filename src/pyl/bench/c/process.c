/* What the kernel knows of a process: memory, processor time, page faults. */
#include "driver.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int read_file(pid_t process, const char *name, char *text, size_t room)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)process, name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return -1;
    ssize_t count = read(file, text, room - 1);
    close(file);
    if (count < 0)
        return -1;
    text[count] = 0;
    return 0;
}

/* Bytes of the line `name` of a file in the form of /proc/PID/status, whose unit is kB. */
static int64_t field(const char *text, const char *name)
{
    const char *line = strstr(text, name);
    return line ? strtoll(line + strlen(name), NULL, 10) * 1024 : 0;
}

static int64_t processor_time(pid_t process)
{
    clockid_t clock;
    struct timespec time;
    if (clock_getcpuclockid(process, &clock) || clock_gettime(clock, &time))
        return 0;
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

void read_usage(pid_t process, struct usage *usage)
{
    char text[8192];
    memset(usage, 0, sizeof *usage);
    usage->processor = processor_time(process);
    if (!read_file(process, "stat", text, sizeof text)) {
        const char *rest = strrchr(text, ')'); /* the name before it may hold anything */
        long long minor = 0, major = 0;
        if (rest && sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %lld %*u %lld", &minor, &major) == 2) {
            usage->minor = minor;
            usage->major = major;
        }
    }
    if (!read_file(process, "smaps_rollup", text, sizeof text)) {
        usage->resident = field(text, "\nRss:");
        usage->proportional = field(text, "\nPss:");
        usage->private = field(text, "\nPrivate_Clean:") + field(text, "\nPrivate_Dirty:");
    }
    if (!read_file(process, "status", text, sizeof text))
        usage->peak = field(text, "\nVmHWM:");
    if (usage->peak < usage->resident)
        usage->peak = usage->resident; /* the kernel's counter of the peak lags behind by some pages per processor */
}

/* Put `process` under the limits of the cgroup whose folder is `group`. */
int join_group(const char *group, pid_t process)
{
    char path[600];
    snprintf(path, sizeof path, "%s/cgroup.procs", group);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return -1;
    char number[16];
    int length = snprintf(number, sizeof number, "%d", (int)process);
    ssize_t written = write(file, number, (size_t)length);
    close(file);
    return written == length ? 0 : -1;
}

/* Many invocations of one process are handed over on one processor, as Lambda has no more below 1,769 MB. Where the
 * kernel is free to choose, a hand-over costs 10 or 40 microseconds, depending on whether it wakes an idle one. It is
 * done after the first answer: until then the process may ask how many processors there are, and Lambda says two. */
void confine(pid_t process)
{
    char path[64];
    cpu_set_t one;
    struct dirent *task;
    int current = sched_getcpu();
    snprintf(path, sizeof path, "/proc/%d/task", (int)process);
    DIR *tasks = current < 0 ? NULL : opendir(path);
    if (!tasks)
        return;
    CPU_ZERO(&one);
    CPU_SET(current, &one);
    while ((task = readdir(tasks)))
        if (task->d_name[0] != '.')
            sched_setaffinity(atoi(task->d_name), sizeof one, &one);
    closedir(tasks);
    sched_setaffinity(0, sizeof one, &one);
}
