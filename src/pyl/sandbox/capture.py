"""The sandbox in which a program is captured: a file tree with little but the package, no network, no other processes.

`command` returns a command that runs `main` in another process. It enters namespaces (as root, or in a user namespace),
builds the file tree, starts the program as a child of the first process of a PID namespace, and waits until the tracer
is attached. In a container without network that does not allow namespaces, the container itself is the sandbox.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import socket
import time
from collections.abc import Mapping, Sequence
from typing import Any

from pyl.architecture import Architecture
from pyl.lambda_environment import APP, GROUP, OPEN_FILES, TASK_ROOT, USER
from pyl.sandbox.namespaces import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUTS,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    bind,
    make_file,
    make_mounts_private,
    make_read_only,
    mount,
    mount_tmpfs,
    start_command,
    unshare,
    write_file,
)

REAL_LOADER = "/loader"
"""Path of the package's loader during a capture. The starter is at the loader's usual path."""
PROCESSORS_FILE = "/sys/devices/system/cpu/online"
"""Where the C library looks for the number of processors first."""
RANDOM_FILE = "/random"
"""Stands in for `/dev/urandom` where two captures are to read the same."""
HOST_NAME = "localhost"

_NAMESPACES = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWUTS

_LOCALES = "/usr/lib/locale"
"""Locales of the C library, which decodes file names with one of them. What it reads is part of the image."""
_FOLDERS = """
bin boot dev etc home media mnt opt proc root run sbin srv sys tmp usr/bin usr/sbin usr/lib usr/share var/task var/tmp
var/runtime
""".split()  # noqa: SIM905 - so it can be read
"""Folders that Amazon Linux has, empty but for those that the capture fills."""
PROGRAMS = ("bash", "cat", "env", "ls", "sh")
"""Some that Amazon Linux has, as empty files that code can find. What children do at import is in no image anyway."""
_DEVICES = ("null", "zero", "full", "random", "urandom")
_FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/sbin/nologin\n"
    f"sbx_user1051:x:{USER}:{GROUP}::/home/sbx_user1051:/sbin/nologin\n",
    "etc/group": f"root:x:0:\nsbx_user1051:x:{GROUP}:\n",
    "etc/os-release": 'NAME="Amazon Linux"\nID="amzn"\n',
    "etc/system-release": "Amazon Linux\n",
    "etc/hosts": "127.0.0.1 localhost\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "etc/ld.so.cache": "glibc-ld.so.cache1.1".ljust(
        64, "\0"
    ),  # empty; the loader looks for it later only if it existed
}


def loader_path(architecture: Architecture) -> str:
    """Return the path of the starter during a capture: the usual one of the loader, for an equal `/proc/self/exe`."""
    return f"{APP}/{architecture.loader_name}"


def command(
    *,
    package: str,
    starter: str,
    argv: Sequence[str],
    environment: Mapping[str, str],
    architecture: Architecture,
    processors: int,
    random_file: str,
    in_place: bool,
    skipped_ids: int,
    report: int,
    release: int,
) -> list[str]:
    """Return the command that starts a program in the capture's sandbox.

    Args:
        package: Folder of the unpacked package.
        starter: The program that loads another one for its capture.
        argv: Arguments of the starter.
        environment: All variables of the program.
        architecture: The package's.
        processors: How many the file system shows.
        random_file: Path of the file to show as `RANDOM_FILE`.
        in_place: Use this machine as the sandbox: the package is at `/var/task`, and there is no network.
        skipped_ids: Process ids that are used before the program starts.
        report: File descriptor to which one JSON object is written: the process's id as `process`, or an `error`.
        release: File descriptor from which the byte `g` is read before the program starts.
    """
    settings = {
        "package": package,
        "starter": starter,
        "argv": list(argv),
        "environment": dict(environment),
        "loader": loader_path(architecture),
        "library_folders": architecture.library_folders,
        "processors": processors,
        "random_file": random_file,
        "in_place": in_place,
        "skipped_ids": skipped_ids,
        "report": report,
        "release": release,
    }
    return start_command(__name__, json.dumps(settings))


def can_run_in_place(package: str) -> bool:
    """Return whether this machine can be the sandbox: the package is at `/var/task`, and there is no network."""
    interfaces = {name for _, name in socket.if_nameindex()}
    return os.path.realpath(package) == TASK_ROOT and interfaces <= {"lo"}


def _build_tree(
    package: str, starter: str, loader: str, library_folders: Sequence[str], processors: int, random_file: str
) -> None:
    """Build the file tree and change to its root.

    The library folders exist and are empty: glibc's loader never searches a folder again that it once did not find.
    """
    make_mounts_private()
    sources = {TASK_ROOT: os.open(package, os.O_PATH)}
    sources[REAL_LOADER] = os.open(f"{package}{loader.removeprefix(TASK_ROOT)}", os.O_PATH)
    sources[loader] = os.open(starter, os.O_PATH)
    sources[RANDOM_FILE] = os.open(random_file, os.O_PATH)
    sources |= {f"/dev/{name}": os.open(f"/dev/{name}", os.O_PATH) for name in _DEVICES}
    if os.path.isdir(_LOCALES):
        sources[_LOCALES] = os.open(_LOCALES, os.O_PATH)
    root = "/tmp" if os.path.isdir("/tmp") else "/mnt"  # any folder will do: the mount hides it in this namespace only
    mount_tmpfs(root, mode="755")
    for folder in (*_FOLDERS, os.path.dirname(PROCESSORS_FILE)[1:], *library_folders, _LOCALES[1:]):
        os.makedirs(f"{root}/{folder}", exist_ok=True)
    for name, text in {**_FILES, PROCESSORS_FILE[1:]: f"0-{processors - 1}\n"}.items():
        write_file(f"{root}/{name}", text, os.O_WRONLY | os.O_CREAT)
    for name in PROGRAMS:
        for folder in ("bin", "usr/bin"):
            make_file(f"{root}/{folder}/{name}", 0o755)
    for target, source in sources.items():
        if not target.startswith((TASK_ROOT, _LOCALES)):
            make_file(f"{root}{target}", 0o755)
        bind(f"/proc/self/fd/{source}", f"{root}{target}", read_only=target in (TASK_ROOT, _LOCALES))
        os.close(source)
    mount_tmpfs(f"{root}/tmp", mode="1777")
    os.chdir(root)


def _run_first_process(settings: Mapping[str, Any]) -> None:
    """Run as the first process of the namespace, and start the program. Signals act differently on a first process."""
    with contextlib.suppress(OSError):  # not allowed in every container; programs work without it
        mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    make_read_only(os.getcwd())
    os.chroot(".")
    os.chdir(TASK_ROOT)
    socket.sethostname(HOST_NAME)
    program = os.fork()
    if program == 0:
        _execute_program(settings)
    os.close(settings["release"])
    with contextlib.suppress(ChildProcessError):
        while True:  # until the program and every orphan have ended
            os.wait()


def _use_process_ids(count: int) -> None:
    """Start and end processes in the namespace, so that the next ones have other ids."""
    for _ in range(count):
        if (process := os.fork()) == 0:
            os._exit(0)
        os.waitpid(process, 0)


def _execute_program(settings: Mapping[str, Any]) -> None:
    """Execute the program as soon as the tracer releases it."""
    if os.read(settings["release"], 1) != b"g":
        os._exit(1)
    os.chdir(TASK_ROOT)
    with contextlib.suppress(OSError, ValueError):  # this machine's hard limit may be lower
        resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    os.execve(settings["loader"], settings["argv"], settings["environment"])


def _wait_for_child(parent: int) -> int:
    """Wait for the only child of a process, and return its id in this namespace."""
    while True:
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                if int(file.read().rpartition(b")")[2].split()[1]) == parent:
                    return int(name)
        if os.waitpid(parent, os.WNOHANG)[0]:
            raise OSError(0, "the sandbox ended before the program started")
        time.sleep(0.001)


def main(settings_json: str) -> None:
    """Build the sandbox, run the program in it and wait for its end. `settings_json` comes from `command`."""
    settings = json.loads(settings_json)
    report, in_place = settings["report"], settings["in_place"]
    for descriptor in (report, settings["release"]):
        os.set_inheritable(descriptor, False)
    try:
        if not in_place:
            unshare(_NAMESPACES, as_root=True)
            _build_tree(
                settings["package"],
                settings["starter"],
                settings["loader"],
                settings["library_folders"],
                settings["processors"],
                settings["random_file"],
            )
        may_start, ids_are_used = os.pipe()
        first = os.fork()
        if first == 0:
            os.close(report)
            os.close(ids_are_used)
            os.read(may_start, 1)
            os.close(may_start)
            if in_place:
                _execute_program(settings)
            _run_first_process(settings)
            os._exit(0)
        os.close(settings["release"])
        os.close(may_start)
        _use_process_ids(settings["skipped_ids"])
        os.close(ids_are_used)
        process = first if in_place else _wait_for_child(first)
        os.write(report, json.dumps({"process": process}).encode())
    except OSError as error:
        os.write(report, json.dumps({"error": str(error)}).encode())
        os._exit(1)
    os.close(report)
    os.waitpid(first, 0)
