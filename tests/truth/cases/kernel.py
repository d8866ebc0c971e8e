"""What the import sets in the kernel and in the C library, and the call must find."""

from __future__ import annotations

from truth.case import Case, prepared

_ALARM = """
import signal, time

RANG = []
signal.signal(signal.SIGALRM, lambda *_: RANG.append(1))
signal.{call}

def handler(event, context):
    deadline = time.monotonic() + 3
    while not RANG and time.monotonic() < deadline:
        time.sleep(0.02)
    return len(RANG)
"""
_PUTENV = """
import os

os.{call}

def handler(event, context):
    return [os.popen("echo ${name}").read(), os.environ.get("{name}", "absent")]
"""
_C_SETENV = """
import ctypes, os

ctypes.CDLL(None).setenv(b"APP_C", b"set", 1)

def handler(event, context):
    return os.popen("echo $APP_C").read()
"""
_DISPOSITION = """
import os, signal

GOT = []
signal.signal(signal.SIGUSR1, lambda *_: GOT.append(1))
signal.signal(signal.SIGUSR2, signal.SIG_IGN)

def handler(event, context):
    os.kill(os.getpid(), signal.SIGUSR1)
    os.kill(os.getpid(), signal.SIGUSR2)
    return [len(GOT), signal.getsignal(signal.SIGUSR2) == signal.SIG_IGN]
"""


CASES = (
    prepared(
        "umask",
        "os.umask(0o077)",
        '[os.close(os.open("/tmp/u", os.O_CREAT, 0o666)), os.stat("/tmp/u").st_mode]',
        is_chosen=True,
    ),
    prepared(
        "limit_files",
        "resource.setrlimit(resource.RLIMIT_NOFILE, (512, 1024))",
        "list(resource.getrlimit(resource.RLIMIT_NOFILE))",
        imports="resource",
        is_chosen=True,
    ),
    prepared(
        "limit_core",
        "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))",
        "list(resource.getrlimit(resource.RLIMIT_CORE))",
        imports="resource",
    ),
    prepared(
        "limit_stack",
        "resource.setrlimit(resource.RLIMIT_STACK, (4 << 20, resource.RLIM_INFINITY))",
        "resource.getrlimit(resource.RLIMIT_STACK)[0]",
        imports="resource",
    ),
    Case("timer_interval", _ALARM.format(call="setitimer(signal.ITIMER_REAL, 0.4)"), is_chosen=True),
    Case("timer_alarm", _ALARM.format(call="alarm(1)")),
    prepared(
        "timer_remaining",
        "signal.setitimer(signal.ITIMER_VIRTUAL, 500)",
        "signal.getitimer(signal.ITIMER_VIRTUAL)[0] > 400",
        imports="signal",
    ),
    Case("putenv", _PUTENV.format(call='putenv("APP_PUT", "x")', name="APP_PUT"), is_chosen=True),
    Case("unsetenv", _PUTENV.format(call='unsetenv("AWS_REGION")', name="AWS_REGION")),
    Case("c_setenv", _C_SETENV),
    prepared("niceness", "os.nice(5)", "os.getpriority(os.PRIO_PROCESS, 0)", is_chosen=True),
    prepared("priority", "os.setpriority(os.PRIO_PROCESS, 0, 7)", "os.nice(0)"),
    prepared("current_folder_changed", 'os.chdir("/")', "os.getcwd()"),
    prepared("current_folder_tmp", 'os.chdir("/tmp")', '[os.getcwd(), open("here", "w").close(), os.listdir(".")]'),
    prepared("current_folder_opened", "F = os.open('/tmp', os.O_RDONLY)\nos.fchdir(F)\nos.close(F)", "os.getcwd()"),
    Case("signal_disposition", _DISPOSITION, must_be_full=True, is_chosen=True, needs_own_package=True),
    prepared(
        "signal_mask",
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})",
        "[int(s) for s in signal.pthread_sigmask(signal.SIG_BLOCK, set())]",
        imports="signal",
        must_be_full=True,
    ),
    prepared(
        "signal_pending",
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})\nos.kill(os.getpid(), signal.SIGUSR1)",
        "[int(s) for s in signal.sigpending()]",
        imports="os, signal",
    ),
    prepared(
        "signal_wakeup",
        "R, W = os.pipe()\nos.set_blocking(W, False)\nsignal.set_wakeup_fd(W)",
        "signal.set_wakeup_fd(-1) == W",
        imports="os, signal",
    ),
    prepared("signal_faulthandler", "faulthandler.enable()", "faulthandler.is_enabled()", imports="faulthandler"),
    prepared("affinity_set", "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})", "len(os.sched_getaffinity(0))"),
    prepared("scheduler", "os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))", "os.sched_getscheduler(0)"),
    prepared("session", "os.setsid()", "os.getsid(0) == os.getpid()", is_chosen=True),
    prepared("process_group_set", "os.setpgid(0, 0)", "os.getpgrp() == os.getpid()"),
    prepared(
        "process_name",
        'ctypes.CDLL(None).prctl(15, b"worker", 0, 0, 0)',
        'open("/proc/self/comm").read()',
        imports="ctypes",
    ),
    prepared(
        "not_dumpable",
        "ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)",
        "ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)",
        imports="ctypes",
    ),
    prepared(
        "no_new_privileges",
        "ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)",
        "ctypes.CDLL(None).prctl(39, 0, 0, 0, 0)",
        imports="ctypes",
    ),
    prepared(
        "subreaper",
        "ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)",
        "(lambda v: [ctypes.CDLL(None).prctl(37, ctypes.byref(v), 0, 0, 0), v.value])(ctypes.c_int())",
        imports="ctypes",
    ),
    prepared(
        "timer_slack",
        "ctypes.CDLL(None).prctl(29, 123456, 0, 0, 0)",
        "ctypes.CDLL(None).prctl(30, 0, 0, 0, 0)",
        imports="ctypes",
    ),
    prepared(
        "oom_score", 'open("/proc/self/oom_score_adj", "w").write("500")', 'open("/proc/self/oom_score_adj").read()'
    ),
    prepared(
        "personality",
        "ctypes.CDLL(None).personality(0x0040000)",
        "ctypes.CDLL(None).personality(0xFFFFFFFF)",
        imports="ctypes",
    ),
    prepared(
        "memory_locked",
        "B = ctypes.create_string_buffer(4096)\nL = ctypes.CDLL(None).mlock(B, 4096)",
        '[L, next(x for x in open("/proc/self/status") if x.startswith("VmLck")).split()[1] != "0"]',
        imports="ctypes",
    ),
    prepared("memory_protected", "M = mmap.mmap(-1, 4096, prot=mmap.PROT_READ)", "bytes(M[:1]).hex()", imports="mmap"),
    prepared(
        "memory_advice",
        "M = mmap.mmap(-1, 8192, flags=mmap.MAP_PRIVATE)\nM.madvise(mmap.MADV_DONTFORK)",
        '" dc" in open("/proc/self/smaps").read()',
        imports="mmap",
    ),
    prepared("malloc_option", "R = ctypes.CDLL(None).mallopt(-1, 1 << 20)", "R", imports="ctypes"),
    prepared(
        "locale_set",
        'N = locale.setlocale(locale.LC_ALL, "C.UTF-8")',
        "[N, locale.setlocale(locale.LC_ALL)]",
        imports="locale",
    ),
    prepared(
        "locale_default",
        'locale.setlocale(locale.LC_NUMERIC, "C")',
        "locale.localeconv()['decimal_point']",
        imports="locale",
        must_be_full=True,
    ),
    prepared(
        "floating_rounding", "ctypes.CDLL(None).fesetround(0x400)", "ctypes.CDLL(None).fegetround()", imports="ctypes"
    ),
    prepared("errno_kept", "ctypes.set_errno(7)", "ctypes.get_errno()", imports="ctypes"),
    prepared("log_syslog", 'syslog.openlog("app")', "syslog.setlogmask(0) > 0", imports="syslog"),
    prepared("inherited_descriptor", "os.set_inheritable(1, False)", "os.get_inheritable(1)"),
    prepared("nonblocking_output", "os.set_blocking(0, False)", "os.get_blocking(0)"),
    prepared("closed_input", "os.close(0)", "os.path.exists('/proc/self/fd/0')"),
    prepared(
        "output_redirected",
        'F = os.open("/tmp/out", os.O_CREAT | os.O_WRONLY)\nos.dup2(F, 1)\nos.close(F)',
        '[os.write(1, b"x"), os.path.getsize("/tmp/out")]',
        is_chosen=True,
    ),
)
