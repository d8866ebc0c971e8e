"""Who and where the process is: ids, names, host, processors, limits of the machine."""

from __future__ import annotations

from truth.case import Case, alone, at_import, in_call, in_warm_up

_KEPT_PROCESS = """
import os

OWNER = os.getpid()

def handler(event, context):
    return OWNER == os.getpid()
"""
_EXECUTOR = """
from concurrent.futures import ThreadPoolExecutor

POOL = ThreadPoolExecutor()

def handler(event, context):
    return [POOL._max_workers, POOL.submit(sum, [1, 2]).result()]
"""
_THREAD_ID = """
import _thread, threading

OWNER = threading.get_native_id()

def handler(event, context):
    return [OWNER == threading.get_native_id(), threading.main_thread().native_id == threading.get_native_id()]
"""

CASES = (
    at_import("process_id", "os.getpid()", is_chosen=True),
    Case("process_id_compared", _KEPT_PROCESS),
    at_import("parent_id", "os.getppid()"),
    at_import("process_group", "os.getpgrp() == os.getpgid(0)"),
    at_import("native_thread_id", "threading.get_native_id()", imports="threading"),
    Case("native_thread_id_compared", _THREAD_ID),
    at_import("proc_self_link", 'os.readlink("/proc/self")'),
    at_import(
        "proc_self_status_pid",
        '[x for x in open("/proc/self/status").read().split("\\n") if x.startswith(("Pid", "Uid"))]',
    ),
    at_import("user_id", "os.getuid()", is_chosen=True),
    at_import("user_ids", "[os.geteuid(), *os.getresuid()]", is_chosen=True),
    at_import("group_id", "os.getgid()"),
    at_import("groups", "[os.getegid(), os.getgroups()]"),
    at_import("is_root", "os.geteuid() == 0"),
    at_import("login_name", "getpass.getuser()", imports="getpass"),
    at_import("password_entry", "list(pwd.getpwuid(os.getuid()))", imports="os, pwd"),
    at_import("group_entry", "grp.getgrgid(os.getgid()).gr_name", imports="grp, os"),
    at_import("home", "str(pathlib.Path.home())", imports="pathlib", is_chosen=True),
    at_import("expanduser", 'os.path.expanduser("~/.cache")'),
    at_import("expanduser_named", 'os.path.expanduser("~sbx_user1051/x")'),
    at_import("access_root", 'os.access("/root", os.W_OK)'),
    at_import("access_task", '[os.access("/var/task", os.W_OK), os.access("/tmp", os.W_OK)]'),
    at_import("host_name", "socket.gethostname()", imports="socket", is_chosen=True),
    at_import("qualified_name", "socket.getfqdn()", imports="socket"),
    at_import("node", "platform.node()", imports="platform"),
    at_import("uname", "list(os.uname())"),
    at_import("platform_uname", "list(platform.uname())", imports="platform"),
    at_import("platform_text", "platform.platform()", imports="platform"),
    at_import("platform_machine", "[platform.machine(), platform.system()]", imports="platform"),
    at_import("os_release", "platform.freedesktop_os_release()['ID']", imports="platform"),
    at_import("proc_host_name", 'open("/proc/sys/kernel/hostname").read()'),
    at_import("interfaces", "socket.if_nameindex()", imports="socket"),
    at_import("resolve_local", 'socket.gethostbyname("localhost")', imports="socket"),
    at_import("cpu_count", "os.cpu_count()", is_chosen=True),
    at_import("multiprocessing_count", "multiprocessing.cpu_count()", imports="multiprocessing"),
    at_import("affinity", "len(os.sched_getaffinity(0))"),
    at_import("sysconf_processors", '[os.sysconf("SC_NPROCESSORS_ONLN"), os.sysconf("SC_PAGE_SIZE")]'),
    Case("executor_size", _EXECUTOR, is_chosen=True),
    at_import("cpuinfo", 'open("/proc/cpuinfo").read()'),
    at_import("cpuinfo_model", '[x for x in open("/proc/cpuinfo") if x.startswith("model name")]'),
    at_import("meminfo", 'open("/proc/meminfo").read().split("\\n")[0]', is_chosen=True),
    at_import("psutil_memory", "psutil.virtual_memory().total", imports="psutil", requires=("psutil",)),
    at_import("psutil_process", "psutil.Process().pid", imports="psutil", requires=("psutil",)),
    at_import("psutil_count", "psutil.cpu_count()", imports="psutil", requires=("psutil",)),
    at_import("descriptor_limit", "list(resource.getrlimit(resource.RLIMIT_NOFILE))", imports="resource"),
    alone(at_import("umask_read", "(lambda m: (os.umask(m), m)[1])(os.umask(0o22))")),
    at_import("current_folder", "os.getcwd()"),
    at_import("argv", "sys.argv", imports="sys"),
    at_import("executable", "[sys.executable, sys.prefix, sys.path[:3]]", imports="sys"),
    at_import("command_line", 'open("/proc/self/cmdline").read().split("\\0")[-2:]', expectation="noted"),
    at_import("proc_comm", 'open("/proc/self/comm").read()', expectation="noted"),
    at_import("proc_exe", 'os.readlink("/proc/self/exe")'),
    at_import("parent_command", 'open(f"/proc/{os.getppid()}/stat").read().split()[0]'),
    at_import("disk_usage", 'shutil.disk_usage("/tmp").total', imports="shutil"),
    at_import("filesystem_encoding", "[sys.getfilesystemencoding(), sys.stdout.encoding]", imports="sys"),
    at_import("standard_streams", "[sys.stdin.isatty(), os.isatty(1), os.fstat(0).st_rdev]", imports="os, sys"),
    in_warm_up("host_name_in_warm_up", "socket.gethostname()", imports="socket", is_chosen=True),
    in_warm_up("user_id_in_warm_up", "os.getuid()"),
    in_warm_up("process_id_in_warm_up", "os.getpid()"),
    in_warm_up("cpu_count_in_warm_up", "os.cpu_count()"),
    in_call(
        "identity_in_call",
        "[os.getpid(), os.getppid(), os.getuid(), os.uname().nodename, os.cpu_count()]",
        must_be_full=True,
        is_chosen=True,
    ),
)
