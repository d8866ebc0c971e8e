"""Finds keys that are generated while an image is captured: all restored processes would share them.

OpenSSL's generator may be in an image, since it seeds itself anew in another process. What it has produced may not, and
the kernel is not asked for it. So at capture its bytes come from the kernel, and keys of `cryptography` are reported.
"""

from __future__ import annotations

import os

from pyl.runtime import import_hooks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_MODULES_WITH_KEYS = ("dh", "dsa", "ec", "ed25519", "ed448", "rsa", "x25519", "x448", "mldsa", "mlkem")
"""Modules of `cryptography.hazmat.bindings._rust.openssl`."""


def watch(record: Callable[[str], None]) -> list[Callable[[], None]]:
    """Start to watch; return the callables that end it.

    Args:
        record: Called with what was generated, from the frame below the code that asked for it.
    """
    return [
        import_hooks.after_import("ssl", _patch_ssl),
        import_hooks.after_import("cryptography.hazmat.bindings._rust", lambda module: _patch_keys(module, record)),
    ]


def _patch_ssl(module: Any) -> Callable[[], None]:
    original = module.RAND_bytes

    def random_bytes(count: int) -> bytes:
        return os.urandom(count)

    module.RAND_bytes = random_bytes

    def undo() -> None:
        module.RAND_bytes = original

    return undo


def _patch_keys(module: Any, record: Callable[[str], None]) -> Callable[[], None]:
    originals: list[tuple[Any, str, Any]] = []
    for name in _MODULES_WITH_KEYS:
        keys = getattr(module.openssl, name, None)
        for attribute in [attribute for attribute in dir(keys) if attribute.startswith("generate")]:
            original = getattr(keys, attribute)
            originals.append((keys, attribute, original))
            setattr(keys, attribute, _recording(original, f"a key of {name}", record))

    def undo() -> None:
        for keys, attribute, original in originals:
            setattr(keys, attribute, original)

    return undo


def _recording(original: Any, what: str, record: Callable[[str], None]) -> Any:
    def generate(*arguments: Any, **keywords: Any) -> Any:
        record(what)
        return original(*arguments, **keywords)

    return generate
