"""Runs a program as Lambda does: with the package at `/var/task`, a read-only file system, and an empty `/tmp`.

`command` returns a command that runs `main` in another process. It enters a mount namespace (as root, or in a user
namespace), builds the file tree, and replaces itself with the program by `exec`, so the process id stays the same.
"""

from __future__ import annotations

import ctypes
import json
import os
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from pyl.lambda_environment import GROUP, TASK_ROOT, USER
from pyl.sandbox.namespaces import (
    CLONE_NEWNS,
    MS_NODEV,
    MS_NOSUID,
    MS_RDONLY,
    become,
    bind,
    call,
    make_file,
    make_mounts_private,
    make_read_only,
    mount,
    mount_tmpfs,
    start_command,
    unshare,
    write_file,
)

_PR_SET_PDEATHSIG = 1

_EXIT_NO_SANDBOX = 125

_HIDDEN = frozenset(("/etc/mime.types", "/etc/httpd", "/etc/apache", "/etc/apache2"))
"""Where `mimetypes` looks for content types. Amazon Linux's runtimes have none of them."""


def command(
    argv: Sequence[str],
    *,
    task: Path,
    binds: Mapping[str, Path] | None = None,
    environment: Mapping[str, str],
    clock: int | None = None,
    processors: int | None = None,
    working_directory: str = TASK_ROOT,
    dies_with_parent: bool = False,
) -> list[str]:
    """Return the command that runs `argv` in a sandbox.

    Args:
        argv: The program and its arguments, by their paths inside.
        task: The folder to show at `/var/task`.
        binds: Further folders by the path to show them at, read-only.
        environment: All variables of the program.
        clock: File descriptor that receives the time of the `exec`: 8 bytes, nanoseconds of CLOCK_MONOTONIC, in the
            machine's byte order.
        processors: How many the program may use, if this machine has that many; None for all.
        working_directory: The folder to start in.
        dies_with_parent: Let the kernel kill the program when the thread that started it ends for whatever reason.
    """
    settings = {
        "argv": list(argv),
        "environment": dict(environment),
        "binds": {TASK_ROOT: str(task)} | {target: str(folder) for target, folder in (binds or {}).items()},
        "clock": clock,
        "processors": processors,
        "working_directory": working_directory,
        "parent": os.getpid() if dies_with_parent else None,
    }
    return start_command(__name__, json.dumps(settings))


@cache
def unavailable() -> str | None:
    """Return why this machine cannot make a sandbox, or None if it can."""
    probe = command(["/proc/self/exe", "-I", "-S", "-c", ""], task=Path("/usr"), environment={})
    result = subprocess.run(probe, capture_output=True, text=True, check=False)
    return None if result.returncode == 0 else result.stderr.strip().splitlines()[-1]


def enter(binds: Mapping[str, str]) -> None:
    """Give this process a file tree of its own: the host's, read-only, with `binds` and an empty `/tmp`.

    What the host has and Lambda lacks, and programs look for, is hidden where the kernel can.

    Args:
        binds: Folders of the host, by the path to show them at.

    Raises:
        OSError: The kernel does not allow it.
    """
    unshare(CLONE_NEWNS, as_root=False)
    make_mounts_private()
    # Any existing folder can be mounted over: the host's view of it is another namespace's.
    root = "/mnt" if os.path.isdir("/mnt") else "/tmp"
    # Folders to bind may be below the folder that is mounted over, or in the host's /tmp.
    sources = {target: os.open(folder, os.O_PATH) for target, folder in binds.items()}
    host = os.open("/", os.O_PATH)
    mount_tmpfs(root, mode="755")
    occupied = {f"/{target.split('/')[1]}" for target in binds} | {"/tmp"}
    _mirror("", root, occupied, host)
    for top in sorted(occupied - {"/tmp"}):
        below = {target for target in binds if target.startswith(f"{top}/")} | _HIDDEN
        if top not in binds:
            os.makedirs(f"{root}{top}", exist_ok=True)
            _mirror(top, root, below, host)
    for target, source in sources.items():
        os.makedirs(f"{root}{target}", exist_ok=True)
        bind(f"/proc/self/fd/{source}", f"{root}{target}", read_only=True)
        os.close(source)
    os.close(host)
    if "/etc" not in occupied:
        _hide(f"{root}/etc")
    _add_user(root)
    os.mkdir(f"{root}/tmp")
    mount_tmpfs(f"{root}/tmp", mode="1777")
    make_read_only(root)
    become(USER, GROUP)
    os.chroot(root)
    os.chdir("/")


def _hide(folder: str) -> None:
    """Hide `_HIDDEN` in the host's /etc, at `folder`, by a layer; before Linux 5.11 that is allowed to root only."""
    names = [name for name in map(os.path.basename, _HIDDEN) if os.path.lexists(f"{folder}/{name}")]
    if not names:
        return
    layer = f"{os.path.dirname(folder)}/.hidden"
    os.mkdir(layer)
    # The layer covers mounts below the folder, such as a container's resolv.conf.
    sources = {target: os.open(target, os.O_PATH) for target in _mounts_below(folder)}
    try:
        for name in names:
            os.mknod(f"{layer}/{name}", stat.S_IFCHR, os.makedev(0, 0))
        mount("overlay", folder, "overlay", MS_RDONLY | MS_NOSUID | MS_NODEV, f"lowerdir={layer}:{folder}")
        for target, source in sources.items():
            bind(f"/proc/self/fd/{source}", target, read_only=True)
    except OSError:
        return
    finally:
        for source in sources.values():
            os.close(source)


def _mounts_below(folder: str) -> list[str]:
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        points = [line.split()[4] for line in file]
    return [point for point in points if point.startswith(f"{folder}/")]


def _add_user(root: str) -> None:
    """Let the host's users have Lambda's among them."""
    accounts = f"{root}/etc/passwd"
    if not os.path.isfile(accounts):
        return
    with open(accounts, encoding="utf-8", errors="surrogateescape") as file:
        text = file.read()
    own = f"{root}/.passwd"
    line = f"\nsbx_user1051:x:{USER}:{GROUP}::/home/sbx_user1051:/sbin/nologin\n"
    write_file(own, text.rstrip("\n") + line, os.O_WRONLY | os.O_CREAT)
    bind(own, accounts, read_only=True)


def _mirror(folder: str, root: str, without: set[str], host: int) -> None:
    """Bind every entry of the host's `folder` into `root`, except those in `without`."""
    with os.scandir(folder or "/") as entries:
        names = sorted(entry.name for entry in entries)
    for name in names:
        path = f"{folder}/{name}"
        if path in without or path == root or any(excluded.startswith(f"{path}/") for excluded in without):
            continue
        source = f"/proc/self/fd/{host}{path}"
        try:
            if os.path.islink(source):
                os.symlink(os.readlink(source), f"{root}{path}")
            elif os.path.isdir(source):
                os.mkdir(f"{root}{path}")
                bind(source, f"{root}{path}", read_only=path not in {"/proc", "/dev", "/sys"})
            elif os.path.isfile(source):
                make_file(f"{root}{path}")
                bind(source, f"{root}{path}", read_only=True)
        except PermissionError:
            continue  # the program could not read the entry either


def _die_with(parent: int) -> None:
    """Let the kernel kill this process when `parent` ends. Call it after `enter`, whose `unshare` would undo it."""
    call("prctl", _PR_SET_PDEATHSIG, ctypes.c_ulong(9))
    if os.getppid() != parent:
        sys.exit(_EXIT_NO_SANDBOX)  # it has ended in the meantime


def main(settings_json: str) -> None:
    """Enter the sandbox and execute the program. `settings_json` comes from `command`."""
    settings = json.loads(settings_json)
    try:
        enter(settings["binds"])
    except OSError as error:
        sys.stderr.write(f"no sandbox: {error.strerror or error}\n")
        sys.exit(_EXIT_NO_SANDBOX)
    os.chdir(settings["working_directory"])
    if settings["processors"]:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: settings["processors"]])
    if settings["parent"] is not None:
        _die_with(settings["parent"])
    if settings["clock"] is not None:
        os.set_inheritable(settings["clock"], False)
        os.write(settings["clock"], struct.pack("=q", time.monotonic_ns()))
    try:
        os.execve(settings["argv"][0], settings["argv"], settings["environment"])
    except OSError as error:
        sys.stderr.write(f"cannot start {settings['argv'][0]}: {error.strerror}\n")
        sys.exit(_EXIT_NO_SANDBOX + 1)
