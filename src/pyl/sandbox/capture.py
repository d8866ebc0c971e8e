"""Where a program is captured: a file tree that holds the package and little else, no network, no neighbours.

This file is also a script. It enters namespaces of its own (as root, or as any user through a user
namespace), builds the tree, starts the program as the first process of a process namespace, and
waits with it until the tracer is attached. In a container without network, where namespaces are
refused, the container itself is the sandbox. It imports the standard library only.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import socket
import sys
import time

TASK_ROOT = "/var/task"
LOADER = f"{TASK_ROOT}/pyl/app/ld-linux-x86-64.so.2"
"""Where the starter stands at capture, so that `/proc/self/exe` reads as in a plain start."""
REAL_LOADER = "/loader"
HOST_NAME = "localhost"

# linux/sched.h, linux/mount.h
_NAMESPACES = 0x00020000 | 0x08000000 | 0x40000000 | 0x20000000 | 0x04000000  # mount, ipc, network, pid, uts
_NEWUSER = 0x10000000
_RDONLY, _NOSUID, _NODEV, _REMOUNT, _BIND, _REC, _PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
_LOCKED_FLAGS = _NOSUID | _NODEV | 8 | 1024 | 2048

_LOCALES = "/usr/lib/locale"
"""The program's C library turns file names into text by one of these; what it reads of them is in the image."""
_DEVICES = ("null", "zero", "full", "random", "urandom")
_LIBRARIES = ("lib", "lib64", "lib/x86_64-linux-gnu", "usr/lib", "usr/lib64", "usr/lib/x86_64-linux-gnu")
"""Empty folders that glibc's loader searches. Those that it once did not find it would never search again."""
_FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/sbin/nologin\nsbx_user1051:x:993:990::/home/sbx_user1051:/sbin/nologin\n",
    "etc/group": "root:x:0:\nsbx_user1051:x:990:\n",
    "etc/hosts": "127.0.0.1 localhost\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "etc/ld.so.cache": "glibc-ld.so.cache1.1".ljust(64, "\0"),  # lists nothing; looked at again only if it was there
}


def _call(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    texts = [part.encode() if part is not None else None for part in (source, target, kind)]
    _call("mount", *texts, ctypes.c_ulong(flags), data.encode() if data else None)


def _write(path: str, text: str, flags: int) -> None:
    # Not by `open`, whose codecs may lie where only the rights reach that this process has given up.
    file = os.open(path, flags | os.O_CLOEXEC, 0o644)
    os.write(file, text.encode())
    os.close(file)


def _unshare() -> None:
    uid, gid = os.getuid(), os.getgid()
    if uid == 0:
        with contextlib.suppress(OSError):  # root without the capability, as in a container
            _call("unshare", _NAMESPACES)
            return
    _call("unshare", _NAMESPACES | _NEWUSER)
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        _write(f"/proc/self/{name}", text, os.O_WRONLY)


def _build_tree(package: str, starter: str) -> None:
    _mount("none", "/", None, _REC | _PRIVATE)
    sources = {TASK_ROOT: os.open(package, os.O_PATH)}
    sources[REAL_LOADER] = os.open(f"{package}{LOADER.removeprefix(TASK_ROOT)}", os.O_PATH)
    sources[LOADER] = os.open(starter, os.O_PATH)
    sources |= {f"/dev/{name}": os.open(f"/dev/{name}", os.O_PATH) for name in _DEVICES}
    if os.path.isdir(_LOCALES):  # noqa: PTH112
        sources[_LOCALES] = os.open(_LOCALES, os.O_PATH)
    root = "/tmp" if os.path.isdir("/tmp") else "/mnt"  # noqa: PTH112, S108 - any folder: the mount hides it here only
    _mount("tmpfs", root, "tmpfs", _NOSUID | _NODEV, "mode=755")
    for folder in ("dev", "etc", "proc", "tmp", "var/task", *_LIBRARIES, _LOCALES[1:]):
        os.makedirs(f"{root}/{folder}", exist_ok=True)  # noqa: PTH103
    for name, text in _FILES.items():
        _write(f"{root}/{name}", text, os.O_WRONLY | os.O_CREAT)
    for place, source in sources.items():
        if not place.startswith((TASK_ROOT, _LOCALES)):
            os.close(os.open(f"{root}{place}", os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o755))
        _mount(f"/proc/self/fd/{source}", f"{root}{place}", None, _BIND | _REC)
        os.close(source)
        if place in (TASK_ROOT, _LOCALES):
            flags = os.statvfs(f"{root}{place}").f_flag & _LOCKED_FLAGS
            _mount(None, f"{root}{place}", None, _REMOUNT | _BIND | _RDONLY | flags)
    _mount("tmpfs", f"{root}/tmp", "tmpfs", _NOSUID | _NODEV, "mode=1777")  # noqa: S108
    os.chdir(root)


def _first_process(wanted: dict[str, object], go: int) -> None:
    """Be the namespace's first process, on which signals act otherwise than on others, and start the program."""
    with contextlib.suppress(OSError):  # not inside every container; programs can do without
        _mount("proc", "proc", "proc", _NOSUID | _NODEV | 8)
    _mount(None, os.getcwd(), None, _REMOUNT | _BIND | _RDONLY | _NOSUID | _NODEV)  # noqa: PTH109
    os.chroot(".")
    os.chdir(TASK_ROOT)
    socket.sethostname(HOST_NAME)
    program = os.fork()
    if program == 0:
        _become_program(wanted, go)
    os.close(go)
    with contextlib.suppress(ChildProcessError):
        while True:  # until the program and every orphan have ended
            os.wait()


def stands_in_place(package: str) -> bool:
    """Whether this machine can be the sandbox: the package is at `/var/task`, and there is no network."""
    interfaces = {name for _, name in socket.if_nameindex()}
    return os.path.realpath(package) == TASK_ROOT and interfaces <= {"lo"}


def _become_program(wanted: dict[str, object], go: int) -> None:
    """Become the program, when it is told to."""
    if os.read(go, 1) != b"g":
        os._exit(1)
    argv, environment = wanted["argv"], wanted["environment"]
    assert isinstance(argv, list)  # noqa: S101
    assert isinstance(environment, dict)  # noqa: S101
    os.chdir(TASK_ROOT)
    os.execve(LOADER, argv, environment)  # noqa: S606


def _child_of(parent: int) -> int:
    """The one child of a process, in this process's own view."""
    while True:
        for name in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
                if int(file.read().rpartition(b")")[2].split()[1]) == parent:
                    return int(name)
        if os.waitpid(parent, os.WNOHANG)[0]:
            raise OSError(0, "the sandbox could not be finished")
        time.sleep(0.001)


def _main(settings: str) -> None:
    wanted = json.loads(settings)
    report, go = wanted["report"], wanted["go"]
    for descriptor in (report, go):
        os.set_inheritable(descriptor, False)
    in_place = wanted["in_place"]
    try:
        if not in_place:
            _unshare()
            _build_tree(wanted["package"], wanted["starter"])
        first = os.fork()
        if first == 0:
            os.close(report)
            if in_place:
                _become_program(wanted, go)
            _first_process(wanted, go)
            os._exit(0)
        os.close(go)
        process = first if in_place else _child_of(first)
        os.write(report, json.dumps({"process": process}).encode())
    except OSError as error:
        os.write(report, json.dumps({"error": str(error)}).encode())
        os._exit(1)
    os.close(report)
    os.waitpid(first, 0)


if __name__ == "__main__":
    _main(sys.argv[1])
