"""What standard modules keep of the process that they were imported in, and an image must not.

All of it is dropped before the image is taken, so that a restored process pays for it only where it is used.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_UUID_EPOCH = 0x01B21DD213814000
"""100 ns intervals from 1582-10-15 to 1970-01-01: RFC 9562, section 6."""
_PLATFORM_CACHES = ("_uname_cache", "_os_release_cache")


def forget() -> None:
    """Let modules find out anew what they know of this instance."""
    modules: dict[str, Any] = sys.modules
    if (tempfile := modules.get("tempfile")) is not None:
        tempfile._name_sequence = None  # noqa: SLF001 - a generator of names; each process makes its own
    if (uuid := modules.get("uuid")) is not None:
        uuid._node = uuid._last_timestamp = None  # noqa: SLF001
        if uuid._generate_time_safe is not None:  # noqa: SLF001
            uuid._generate_time_safe = TimeIdentifiers().next  # noqa: SLF001
    if (platform := modules.get("platform")) is not None:
        for name in _PLATFORM_CACHES:
            if hasattr(platform, name):
                setattr(platform, name, None)
        platform._platform_cache.clear()  # noqa: SLF001
    if (parse := modules.get("urllib.parse")) is not None:
        parse.urlsplit.cache_clear()  # addresses that were signed in warm-up calls


class TimeIdentifiers:
    """Identifiers from the time, for `uuid.uuid1` in restored processes.

    libuuid keeps its node and clock sequence where nobody can reset them, so all restored processes would share them.
    These are drawn at the first use, in the process that uses them.
    """

    def __init__(self) -> None:
        """Draw nothing yet."""
        self._node: bytes | None = None
        self._sequence = 0
        self._latest = 0

    def next(self) -> tuple[bytes, int]:
        """Return the 16 bytes of an identifier (RFC 9562, version 1), and that no other process makes it."""
        if self._node is None:
            drawn = os.urandom(8)
            self._node = bytes((drawn[0] | 1, *drawn[1:6]))  # the multicast bit: no address of hardware
            self._sequence = int.from_bytes(drawn[6:], "big") & 0x3FFF
        stamp = self._latest = max(self._latest + 1, time.time_ns() // 100 + _UUID_EPOCH)
        low, middle, high = stamp & 0xFFFFFFFF, stamp >> 32 & 0xFFFF, stamp >> 48 & 0x0FFF | 0x1000
        content = b"".join(
            (
                low.to_bytes(4, "big"),
                middle.to_bytes(2, "big"),
                high.to_bytes(2, "big"),
                (self._sequence | 0x8000).to_bytes(2, "big"),
                self._node,
            )
        )
        return content, 0
