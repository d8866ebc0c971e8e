"""Lets TLS contexts trust the certificate authorities of the machine that they are used on.

OpenSSL looks for them where the machine that it was built on has them, which need not be where Lambda's Amazon Linux
does. And a context that is made at import, when an image is taken, must not keep what was found there and then.
"""

from __future__ import annotations

import os

from pyl.runtime import import_hooks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

FILE, FOLDER = "SSL_CERT_FILE", "SSL_CERT_DIR"
"""OpenSSL's own variables for it."""
BUNDLES = (
    "/etc/pki/tls/certs/ca-bundle.crt",  # Amazon Linux, Fedora
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine
    "/etc/ssl/ca-bundle.pem",  # SUSE
)
_PID_LIMIT = 1 << 22
"""Of Linux. Only while an image is taken a process sees a larger one (`pyl.image.capture.tracer.PROCESS_ID_OFFSET`)."""
_USES = ("wrap_socket", "wrap_bio", "get_ca_certs", "cert_store_stats")
"""The methods of a context that need its certificates."""


def install() -> None:
    """Prepare `ssl` as soon as it is imported; until a context asks for certificates nothing is looked up."""
    import_hooks.prepare("ssl", _prepare)


def _prepare(module: Any) -> Callable[[], None]:
    kind = module.SSLContext
    original = kind.set_default_verify_paths

    def load(context: Any) -> None:
        _name_bundle(module)
        original(context)

    def set_default_verify_paths(context: Any) -> None:
        if _is_capture():
            _postpone(context, load)
        else:
            load(context)

    kind.set_default_verify_paths = set_default_verify_paths

    def undo() -> None:
        kind.set_default_verify_paths = original

    return undo


def _is_capture() -> bool:
    return os.getpid() >= _PID_LIMIT


def _name_bundle(module: Any) -> None:
    """Where OpenSSL would find nothing, and nobody has said where to look, name the bundle of this machine."""
    if FILE in os.environ or FOLDER in os.environ:
        return
    usual = module.get_default_verify_paths()
    if usual.cafile or usual.capath:
        return
    for bundle in BUNDLES:
        if os.path.exists(bundle):
            os.environ[FILE] = bundle
            return


def _postpone(context: Any, load: Callable[[Any], None]) -> None:
    """Let the context load its certificates at its first use in a restored process."""

    def postponed(name: str) -> Callable[..., Any]:
        def use(*arguments: Any, **keywords: Any) -> Any:
            if not _is_capture():
                for other in _USES:
                    context.__dict__.pop(other, None)
                load(context)
            return getattr(type(context), name)(context, *arguments, **keywords)

        return use

    for name in _USES:
        context.__dict__[name] = postponed(name)
