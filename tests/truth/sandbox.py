"""Starts a program in one of Lambda's execution environments: its files, identity, host name, processors, and clocks.

`serve` runs in a program of its own, which forks for each request. The child enters namespaces, builds the file tree,
listens where the Runtime API is, hands the listening socket to the test, and executes the program with the process id
that the instance has.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import fcntl
import json
import os
import resource
import socket
import struct
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from pyl.sandbox.namespaces import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    bind,
    call,
    make_file,
    make_mounts_private,
    make_read_only,
    mount,
    mount_tmpfs,
)

NO_SANDBOX = 125
"""Exit code: the kernel does not allow such an environment."""

_CLONE_NEWTIME = 0x80
_PR_SET_PDEATHSIG = 1
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1
_NAMESPACES = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWUTS
_PROCESSORS = 2
_OPEN_FILES = 1024
_EMPTY_FOLDERS = (
    "boot",
    "dev",
    "etc",
    "home",
    "media",
    "mnt",
    "opt",
    "proc",
    "root",
    "run",
    "srv",
    "sys",
    "tmp",
    "var",
)
_FROM_HOST = ("bin", "lib", "lib64", "sbin", "usr/bin", "usr/lib", "usr/lib64", "usr/sbin")
"""Programs and libraries, for the shell. Nothing of /usr/share, so no time zones."""
_DEVICES = ("null", "zero", "full", "random", "urandom")
_ETC = {
    "passwd": "root:x:0:0:root:/root:/sbin/nologin\nsbx_user1051:x:993:990::/home/sbx_user1051:/sbin/nologin\n",
    "group": "root:x:0:\nsbx_user1051:x:990:\n",
    "hosts": "127.0.0.1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "os-release": 'NAME="Amazon Linux"\nVERSION="2023"\nID="amzn"\nVERSION_ID="2023"\n',
    "system-release": "Amazon Linux release 2023\n",
}


def serve(control: int) -> None:
    """Start a program for each message that comes in, and answer with the id of its process.

    Args:
        control: File descriptor of a socket. A message is the JSON of the settings, with two descriptors: the channel
            for the listening socket, and the log.
    """
    server = socket.socket(fileno=control)
    while True:
        message, descriptors, _, _ = socket.recv_fds(server, 1 << 20, 2)
        if not message:
            return
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        process = os.fork()
        if process == 0:
            server.close()
            channel, log = descriptors
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.close(log)
            _start({**json.loads(message), "channel": channel})
        for descriptor in descriptors:
            os.close(descriptor)
        server.send(struct.pack("=q", process))


def _start(settings: Mapping[str, Any]) -> NoReturn:
    """Build the environment, execute the program in it, and wait for its end."""
    try:
        is_root = _enter_namespaces(settings["user"], settings["group"])
        socket.sethostname(settings["host_name"])
        _set_clocks(settings["uptime"])
    except OSError as error:
        sys.stderr.write(f"no sandbox: {error}\n")
        sys.stderr.flush()
        os._exit(NO_SANDBOX)
    first = os.fork()
    if first == 0:
        call("prctl", _PR_SET_PDEATHSIG, ctypes.c_ulong(9))
        _run_first_process(settings, is_root=is_root)
    _, status = os.waitpid(first, 0)
    os._exit(os.waitstatus_to_exitcode(status) % 256)


def _enter_namespaces(user: int, group: int) -> bool:
    """Enter new namespaces and return whether this is done as root; otherwise as `user` of a user namespace."""
    outer_user, outer_group = os.getuid(), os.getgid()
    if outer_user == 0:
        with contextlib.suppress(OSError):
            call("unshare", _NAMESPACES)
            return True
    call("unshare", _NAMESPACES | CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {outer_user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {outer_group} 1")
    return False


def _set_clocks(uptime: int) -> None:
    """Let the clocks of this process's children count from `uptime` seconds, where the kernel can do this."""
    with contextlib.suppress(OSError):
        call("unshare", _CLONE_NEWTIME)
        offset = uptime - int(time.clock_gettime(time.CLOCK_BOOTTIME))
        monotonic = uptime - int(time.monotonic())
        Path("/proc/self/timens_offsets").write_text(f"monotonic {monotonic} 0\nboottime {offset} 0\n")


def _run_first_process(settings: Mapping[str, Any], *, is_root: bool) -> None:
    try:
        _build_tree(settings)
        server = _listen(settings["runtime_api"])
        channel = socket.socket(fileno=settings["channel"])
        socket.send_fds(channel, [b"s"], [server.fileno()])
        channel.close()
        server.close()
        Path("/proc/sys/kernel/ns_last_pid").write_text(str(settings["process"] - 1))
        program = os.fork()
        if program == 0:
            _execute(settings, is_root=is_root)
    except OSError as error:
        sys.stderr.write(f"no sandbox: {error}\n")
        sys.stderr.flush()
        os._exit(NO_SANDBOX)
    while True:
        process, status = os.wait()
        if process == program:
            os._exit(os.waitstatus_to_exitcode(status) % 256)


def _build_tree(settings: Mapping[str, Any]) -> None:
    make_mounts_private()
    task = os.open(settings["task"], os.O_PATH)
    host = os.open("/", os.O_PATH)
    root = "/tmp" if Path("/tmp").is_dir() else "/mnt"  # any folder will do: it is hidden in this namespace only
    mount_tmpfs(root, mode="755")
    for folder in (*_EMPTY_FOLDERS, "usr/share", "usr/local/bin", "var/task", "var/runtime", "var/tmp"):
        Path(f"{root}/{folder}").mkdir(parents=True, exist_ok=True)
    for name in _FROM_HOST:
        _show(Path(f"/proc/self/fd/{host}/{name}"), Path(f"{root}/{name}"))
    for name in _DEVICES:
        make_file(f"{root}/dev/{name}", 0o666)
        bind(f"/proc/self/fd/{host}/dev/{name}", f"{root}/dev/{name}", read_only=False)
    for name, number in (("stdin", 0), ("stdout", 1), ("stderr", 2)):
        Path(f"{root}/dev/{name}").symlink_to(f"/proc/self/fd/{number}")
    Path(f"{root}/dev/fd").symlink_to("/proc/self/fd")
    for name, text in _ETC.items():
        Path(f"{root}/etc/{name}").write_text(text)
    mount("proc", f"{root}/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    bind(f"/proc/self/fd/{host}/sys", f"{root}/sys", read_only=False)
    bind(f"/proc/self/fd/{task}", f"{root}/var/task", read_only=True)
    os.close(task)
    os.close(host)
    for path, text in settings["proc_files"].items():
        Path(f"{root}/replacement").write_text(text)
        bind(f"{root}/replacement", f"{root}{path}", read_only=False)
        Path(f"{root}/replacement").unlink()
    mount_tmpfs(f"{root}/tmp", mode="1777")
    for path, text in settings["files"].items():
        _write(Path(f"{root}{path}"), text)
    make_read_only(root)
    os.chroot(root)
    os.chdir("/")


def _show(source: Path, target: Path) -> None:
    """Show a folder of the host, or make the same symbolic link."""
    if source.is_symlink():
        target.symlink_to(source.readlink())
    elif source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        bind(str(source), str(target), read_only=True)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)
    os.utime(file, (1_700_000_000, 1_700_000_000))


def _listen(address: str) -> socket.socket:
    """Bring the loopback interface up, and listen at an address of it."""
    with socket.socket() as control:
        request = struct.pack("16sh14x", b"lo", _IFF_UP)
        fcntl.ioctl(control, _SIOCSIFFLAGS, array.array("b", request))
    host, _, port = address.partition(":")
    return socket.create_server((host, int(port)))


def _execute(settings: Mapping[str, Any], *, is_root: bool) -> None:
    if is_root:
        os.setgroups([])
        os.setgid(settings["group"])
        os.setuid(settings["user"])
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:_PROCESSORS])
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    os.umask(0o022)
    os.chdir("/var/task")
    os.execve(settings["argv"][0], settings["argv"], settings["environment"])
