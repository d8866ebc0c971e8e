"""Namespaces and mounts of Linux, for both sandboxes.

Sandboxes are programs that must start within milliseconds, and that may lose the right to read the standard library's
files. So this module imports little, and all of it at its beginning.
"""

from __future__ import annotations

import ctypes
import os
import sys

# linux/sched.h
CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

# linux/mount.h
MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_NOATIME = 1024
MS_NODIRATIME = 2048
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18

_LOCKED_FLAGS = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME
"""Flags that a user namespace may add to a mount, and never drop: mount_namespaces(7)."""

_START = "import sys; sys.path.append(sys.argv[1]); from {module} import main; main(sys.argv[2])"


def start_command(module: str, settings: str) -> list[str]:
    """Return the command that calls `main(settings)` of `module` in an interpreter without site-packages.

    The folder that holds pyl is searched last: it may be a folder with other packages, and their names must not hide
    the standard library's.
    """
    root = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    return [sys.executable, "-I", "-S", "-c", _START.format(module=module), root, settings]


def call(name: str, *arguments: object) -> None:
    """Call a function of the C library that returns 0 or sets errno.

    Raises:
        OSError: The call failed; the message names the function.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def unshare(namespaces: int, *, as_root: bool) -> None:
    """Move this process to new `namespaces`, in a user namespace as well where it lacks the right.

    Args:
        namespaces: CLONE_NEW* flags.
        as_root: In a user namespace, be root instead of the same user.

    Raises:
        OSError: The kernel does not allow it.
    """
    user, group = os.getuid(), os.getgid()
    if user == 0:
        try:
            call("unshare", namespaces)
        except OSError:
            pass  # root without CAP_SYS_ADMIN, as in a container: a user namespace may still work
        else:
            return
    call("unshare", namespaces | CLONE_NEWUSER)
    inner_user, inner_group = (0, 0) if as_root else (user, group)
    write_file("/proc/self/setgroups", "deny", os.O_WRONLY)
    write_file("/proc/self/uid_map", f"{inner_user} {user} 1", os.O_WRONLY)
    write_file("/proc/self/gid_map", f"{inner_group} {group} 1", os.O_WRONLY)


def become(user: int, group: int) -> None:
    """Be another user, where the kernel allows it: in a user namespace that maps the ids to those of this process.

    Files that this process owns then belong to that user. Call it before `chroot`, after which it is not allowed.
    """
    own_user, own_group = os.geteuid(), os.getegid()
    try:
        call("unshare", CLONE_NEWUSER)
    except OSError:
        return
    write_file("/proc/self/setgroups", "deny", os.O_WRONLY)
    write_file("/proc/self/uid_map", f"{user} {own_user} 1", os.O_WRONLY)
    write_file("/proc/self/gid_map", f"{group} {own_group} 1", os.O_WRONLY)


def write_file(path: str, text: str, flags: int) -> None:
    """Write `text` to `path`, opened with `flags`, without the codecs that `open` may have to import."""
    file = os.open(path, flags | os.O_CLOEXEC, 0o644)
    os.write(file, text.encode())
    os.close(file)


def make_file(path: str, mode: int = 0o644) -> None:
    """Create an empty file as a mount point."""
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, mode))


def mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    """Mount a file system by the system call of this name.

    Raises:
        OSError: The kernel does not allow it.
    """
    texts = [text.encode() if text is not None else None for text in (source, target, kind)]
    call("mount", *texts, ctypes.c_ulong(flags), data.encode() if data else None)


def make_mounts_private() -> None:
    """Hide later mounts from other namespaces."""
    mount("none", "/", None, MS_REC | MS_PRIVATE)


def mount_tmpfs(target: str, *, mode: str) -> None:
    """Mount an empty file system in memory; `mode` is octal, as in `1777`."""
    mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, f"mode={mode}")


def bind(source: str, target: str, *, read_only: bool) -> None:
    """Bind-mount `source`, with all mounts below it, at `target`."""
    mount(source, target, None, MS_BIND | MS_REC)
    if read_only:
        flags = os.statvfs(target).f_flag & _LOCKED_FLAGS
        mount(None, target, None, MS_REMOUNT | MS_BIND | MS_RDONLY | flags)


def make_read_only(target: str) -> None:
    """Make a file system read-only that was mounted by `mount_tmpfs`."""
    mount(None, target, None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)
