"""Lets TLS contexts load the certificate authorities of the machine that uses them.

OpenSSL looks for them where the machine that built it has them. Amazon Linux on Lambda may have them elsewhere. And a
context that is made at import, while an image is captured, must not keep the build machine's certificates.
"""

from __future__ import annotations

import os

from pyl.runtime import import_hooks
from pyl.runtime.restore.captured import is_captured_process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

FILE_VARIABLE, FOLDER_VARIABLE = "SSL_CERT_FILE", "SSL_CERT_DIR"
"""OpenSSL's own variables for the places of certificates."""
BUNDLES = (
    "/etc/pki/tls/certs/ca-bundle.crt",  # Amazon Linux, Fedora
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine
    "/etc/ssl/ca-bundle.pem",  # SUSE
)
_METHODS_WITH_CERTIFICATES = ("wrap_socket", "wrap_bio", "get_ca_certs", "cert_store_stats")
"""The methods of `SSLContext` that need its certificates."""


def install() -> None:
    """Patch `ssl` as soon as it is imported. Nothing is looked up until a context asks for certificates."""
    import_hooks.after_import("ssl", _patch)


def _patch(ssl: Any) -> Callable[[], None]:
    context_class = ssl.SSLContext
    original = context_class.set_default_verify_paths

    def load(context: Any) -> None:
        _set_bundle_variable(ssl)
        original(context)

    def set_default_verify_paths(context: Any) -> None:
        if is_captured_process():
            _postpone(context, load)
        else:
            load(context)

    context_class.set_default_verify_paths = set_default_verify_paths

    def undo() -> None:
        context_class.set_default_verify_paths = original

    return undo


def _set_bundle_variable(ssl: Any) -> None:
    """Point OpenSSL to this machine's bundle, unless it finds one itself or the user has set a place."""
    if FILE_VARIABLE in os.environ or FOLDER_VARIABLE in os.environ:
        return
    default_paths = ssl.get_default_verify_paths()
    if default_paths.cafile or default_paths.capath:
        return
    for bundle in BUNDLES:
        if os.path.exists(bundle):
            os.environ[FILE_VARIABLE] = bundle
            return


def _postpone(context: Any, load: Callable[[Any], None]) -> None:
    """Let the context load its certificates at its first use in a restored process."""

    def postponed(name: str) -> Callable[..., Any]:
        def use(*arguments: Any, **keywords: Any) -> Any:
            if not is_captured_process():
                for other in _METHODS_WITH_CERTIFICATES:
                    context.__dict__.pop(other, None)
                load(context)
            return getattr(type(context), name)(context, *arguments, **keywords)

        return use

    for name in _METHODS_WITH_CERTIFICATES:
        context.__dict__[name] = postponed(name)
