"""Draws of random bytes that an image may hold, each with the reason.

Half of the popular packages draw random bytes at import, so the origin of each draw decides. What is not known here is
answered differently in each of the two worlds, and so is found where an image keeps it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pyl.image.capture.contacts import Contact

MERSENNE_TWISTER_BYTES = "2496"
"""Bytes of the state of `random.Random`, as it seeds itself."""

RANDOM_DEVICES = ("/dev/urandom", "/dev/random")

_NEAREST = 4
"""Frames that count."""


@dataclass(frozen=True)
class KnownDraw:
    """Random bytes that are renewed in a restored process, or that do no harm.

    Attributes:
        library: Pattern of the name of the library that draws them.
        frames: Pattern of one of the Python frames, `file:line`; None if any will do.
        reason: What becomes of them.
    """

    library: str
    frames: str | None
    reason: str


_OPENSSL = r"libcrypto.*|.*_rust\.abi3\.so|_ssl.*|_hashlib.*|libssl.*|libgcrypt.*|libgnutls.*"
_SQLITE = r".*sqlite3.*"
_LIBUUID = r"libuuid\.so.*"
"""Names of libraries that compare process ids, and seed their generators anew in another process."""

KNOWN_DRAWS = (
    KnownDraw(_OPENSSL, None, "OpenSSL draws anew in another process"),
    KnownDraw(_LIBUUID, None, "uuid1 makes its node and sequence anew after a restore"),
    KnownDraw(r"libxml2.*|etree.*|objectify.*", None, "seeds libxml2's hash tables"),
    KnownDraw(r"libexpat.*|pyexpat.*", None, "seeds expat's hash tables"),
    KnownDraw(
        r"(_pydantic_core|_?orjson|tokenizers|_cbor2|rpds|jiter|_tiktoken|_safetensors|polars|_rust_notify)\b.*",
        None,
        "seeds hash tables",
    ),
    KnownDraw(r".*", r".*/tempfile\.py:\d+", "names files in the instance's own /tmp"),
    KnownDraw(r".*", r".*/redis/connection\.py:\d+", "names a pool among those of one process"),
)
"""Reviewed origins."""


def is_renewed_draw(contact: Contact) -> bool:
    """Return whether an image may hold the random bytes of this contact."""
    return _is_at_fork(contact) or _is_seed_of_numpy(contact) or any(_fits(known, contact) for known in KNOWN_DRAWS)


def _is_at_fork(contact: Contact) -> bool:
    """Return whether Python's `random` seeds itself in the fork that becomes the image; it does so once more later."""
    return contact.detail == MERSENNE_TWISTER_BYTES and is_python(contact.library) and not contact.frames


def _is_seed_of_numpy(contact: Contact) -> bool:
    """Return whether a generator of numpy seeds itself; it does so once more later, and who has used it is reported."""
    return contact.detail != MERSENNE_TWISTER_BYTES and any(
        re.fullmatch(r".*/pyl/runtime/restore/random_generators\.py:\d+", frame) for frame in contact.frames[:_NEAREST]
    )


def _fits(known: KnownDraw, contact: Contact) -> bool:
    return re.fullmatch(known.library, contact.library) is not None and (
        known.frames is None or any(re.fullmatch(known.frames, frame) for frame in contact.frames[:_NEAREST])
    )


def notices_forks(library: str) -> bool:
    """Return whether a library asks for the process id to notice forks, and so notices each restore."""
    return re.fullmatch(f"{_OPENSSL}|{_SQLITE}|{_LIBUUID}", library) is not None


def is_sqlite(library: str) -> bool:
    """Return whether a library holds SQLite, whose random numbers all follow from what it reads once."""
    return re.fullmatch(_SQLITE, library) is not None


def is_python(library: str) -> bool:
    """Return whether a file holds the interpreter."""
    return library == "program" or library.startswith("libpython")


def is_foreign_function_interface(library: str) -> bool:
    """Return whether a library calls others for Python code, which then is what asks."""
    return library.startswith(("libffi", "_ctypes", "_cffi_backend"))


_COMPARING_FRAMES = (
    r".*/(redis/connection|pymongo/[a-z_]+|sqlalchemy/pool/[a-z]+|multiprocessing/[a-z]+|threading|asyncio/[a-z_]+)"
    r"\.py:\d+"
)
"""Code that keeps the process id to make its connections anew in another process, and Python's threads: none but the
main one is in an image, and that tells the id of the process that it is asked in."""


def compares_process_ids(frames: tuple[str, ...]) -> bool:
    """Return whether Python code asks for the process id to notice forks, and so notices each restore."""
    return bool(frames) and re.fullmatch(_COMPARING_FRAMES, frames[0]) is not None


_CGROUPS = "/sys/fs/cgroup"
_PROCESSOR_PATHS = ("/sys/devices/system/cpu", "/proc/stat", _CGROUPS)
_QUOTA_PATHS = ("/proc/self/cgroup", "/proc/self/mountinfo")
"""Where Rust's standard library looks for a quota of processors (`std::thread::available_parallelism`)."""


def tells_processors(path: str, library: str) -> bool:
    """Return whether a library looks at a path for the number of processors."""
    if is_python(library):
        return path.startswith(_PROCESSOR_PATHS) and not path.startswith(_CGROUPS)
    return path.startswith(_PROCESSOR_PATHS) or path in _QUOTA_PATHS
