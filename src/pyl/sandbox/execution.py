"""Runs a program as Lambda does: package at `/var/task`, everything read-only, a `/tmp` of its own.

This file is also a script: the emulator starts `python -I -S sandbox.py SETTINGS`, which enters a mount
namespace (as root, or in a user namespace), builds the file tree, and becomes the program by `exec`, so the process
id stays the same. It imports the standard library only.
"""

from __future__ import annotations

import ctypes
import json
import os
import struct
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

TASK_ROOT = "/var/task"

# linux/sched.h and linux/mount.h
_CLONE_NEWNS = 0x00020000
_CLONE_NEWUSER = 0x10000000
_MS_RDONLY = 1
_MS_NOSUID = 2
_MS_NODEV = 4
_MS_REMOUNT = 32
_MS_BIND = 4096
_MS_REC = 16384
_MS_PRIVATE = 1 << 18
_STATFS_FLAGS = _MS_NOSUID | _MS_NODEV | 8 | 1024 | 2048  # and noexec, noatime, nodiratime

_PR_SET_PDEATHSIG = 1

_EXIT_NO_SANDBOX = 125


def command(
    argv: Sequence[str],
    *,
    task: Path,
    binds: Mapping[str, Path] | None = None,
    environment: Mapping[str, str],
    clock: int | None = None,
    working_directory: str = TASK_ROOT,
    dies_with_parent: bool = False,
) -> list[str]:
    """The command that runs `argv` in a sandbox with the folder `task` at `/var/task`.

    `binds` are further folders, by where they shall be (read-only). `clock` is a file descriptor to which
    the time of the `exec` is written: 8 bytes, nanoseconds of CLOCK_MONOTONIC, in the machine's byte order.
    With `dies_with_parent` the kernel kills the program when the thread that started it ends, however that comes.
    """
    settings = {
        "argv": list(argv),
        "environment": dict(environment),
        "binds": {TASK_ROOT: str(task)} | {place: str(folder) for place, folder in (binds or {}).items()},
        "clock": clock,
        "cwd": working_directory,
        "parent": os.getpid() if dies_with_parent else None,
    }
    return [sys.executable, "-I", "-S", __file__, json.dumps(settings)]


@cache
def unavailable() -> str | None:
    """Why this machine cannot make a sandbox; None when it can."""
    probe = command(["/proc/self/exe", "-I", "-S", "-c", ""], task=Path("/usr"), environment={})
    result = subprocess.run(probe, capture_output=True, text=True, check=False)
    return None if result.returncode == 0 else result.stderr.strip().splitlines()[-1]


def enter(binds: Mapping[str, str]) -> None:
    """Give this process a file tree of its own: the host's, read-only, with `binds` and an empty `/tmp`.

    Raises `OSError` when the kernel does not allow it.
    """
    _unshare()
    _mount("none", "/", None, _MS_REC | _MS_PRIVATE)
    # Any existing folder can be mounted over: the host's view of it is another namespace's.
    root = "/mnt" if os.path.isdir("/mnt") else "/tmp"
    # What is to be bound may lie below the folder that is mounted over, or in the host's /tmp.
    sources = {place: os.open(folder, os.O_PATH) for place, folder in binds.items()}
    host = os.open("/", os.O_PATH)
    _mount("tmpfs", root, "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=755")
    occupied = {f"/{place.split('/')[1]}" for place in binds} | {"/tmp"}
    _mirror("", root, occupied, host)
    for top in sorted(occupied - {"/tmp"}):
        below = {place for place in binds if place.startswith(f"{top}/")}
        if top not in binds:
            os.makedirs(f"{root}{top}", exist_ok=True)
            _mirror(top, root, below, host)
    for place, source in sources.items():
        os.makedirs(f"{root}{place}", exist_ok=True)
        _bind(f"/proc/self/fd/{source}", f"{root}{place}", read_only=True)
        os.close(source)
    os.close(host)
    os.mkdir(f"{root}/tmp")
    _mount("tmpfs", f"{root}/tmp", "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=1777")
    _mount(None, root, None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY | _MS_NOSUID | _MS_NODEV)
    os.chroot(root)
    os.chdir("/")


def _mirror(folder: str, root: str, without: set[str], host: int) -> None:
    """Bind every entry of the host's `folder` into `root`, but those in `without`."""
    with os.scandir(folder or "/") as entries:
        names = sorted(entry.name for entry in entries)
    for name in names:
        path = f"{folder}/{name}"
        if path in without or path == root or any(place.startswith(f"{path}/") for place in without):
            continue
        source = f"/proc/self/fd/{host}{path}"
        try:
            if os.path.islink(source):
                os.symlink(os.readlink(source), f"{root}{path}")
            elif os.path.isdir(source):
                os.mkdir(f"{root}{path}")
                _bind(source, f"{root}{path}", read_only=path not in {"/proc", "/dev", "/sys"})
            elif os.path.isfile(source):
                os.close(os.open(f"{root}{path}", os.O_CREAT | os.O_WRONLY, 0o644))
                _bind(source, f"{root}{path}", read_only=True)
        except PermissionError:
            continue  # an entry this user may not see would not be seen by the program either


def _unshare() -> None:
    uid, gid = os.getuid(), os.getgid()
    if uid == 0:
        try:
            _call("unshare", _CLONE_NEWNS)
        except OSError:
            pass  # root without CAP_SYS_ADMIN, as in a container: a user namespace may still do
        else:
            return
    _call("unshare", _CLONE_NEWNS | _CLONE_NEWUSER)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


def _bind(source: str, target: str, *, read_only: bool) -> None:
    _mount(source, target, None, _MS_BIND | _MS_REC)
    if read_only:
        # A user namespace may add flags to a mount and never drop those that it has.
        flags = os.statvfs(target).f_flag & _STATFS_FLAGS
        _mount(None, target, None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY | flags)


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    parts = [part.encode() if part is not None else None for part in (source, target, kind)]
    _call("mount", *parts, ctypes.c_ulong(flags), data.encode() if data else None)


def _call(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _die_with(parent: int) -> None:
    """Behind `_unshare`, which would undo it."""
    _call("prctl", _PR_SET_PDEATHSIG, ctypes.c_ulong(9))
    if os.getppid() != parent:
        sys.exit(_EXIT_NO_SANDBOX)  # it has ended in the meantime


def _become(settings: str) -> None:
    wanted = json.loads(settings)
    try:
        enter(wanted["binds"])
    except OSError as error:
        sys.stderr.write(f"no sandbox: {error.strerror or error}\n")
        sys.exit(_EXIT_NO_SANDBOX)
    os.chdir(wanted["cwd"])
    if wanted["parent"] is not None:
        _die_with(wanted["parent"])
    if wanted["clock"] is not None:
        os.set_inheritable(wanted["clock"], False)
        os.write(wanted["clock"], struct.pack("=q", time.monotonic_ns()))
    try:
        os.execve(wanted["argv"][0], wanted["argv"], wanted["environment"])
    except OSError as error:
        sys.stderr.write(f"cannot start {wanted['argv'][0]}: {error.strerror}\n")
        sys.exit(_EXIT_NO_SANDBOX + 1)


if __name__ == "__main__":
    _become(sys.argv[1])
