"""Lets botocore clients that are made at import read their credentials when they sign.

At capture there are made-up ones. The clients in the image read `os.environ` at each use, so they sign with the keys
of the environment that they were restored in.
"""

from __future__ import annotations

import os
import sys

from pyl.runtime import import_hooks
from pyl.runtime.restore.captured import is_captured_process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

METHOD = "env"
"""What botocore's own provider for environment variables calls itself."""


def install() -> Callable[[], None]:
    """Patch botocore as soon as it is imported; return the callable that undoes it."""
    return import_hooks.after_import("botocore.credentials", _patch)


def _patch(module: Any) -> Callable[[], None]:
    original = module.create_credential_resolver

    def create_credential_resolver(*arguments: Any, **keywords: Any) -> Any:
        resolver = original(*arguments, **keywords)
        other_providers = list(resolver.providers)
        resolver.providers.insert(0, _provider(module, other_providers))
        return resolver

    module.create_credential_resolver = create_credential_resolver

    def undo() -> None:
        module.create_credential_resolver = original

    return undo


def _provider(module: Any, other_providers: list[Any]) -> Any:
    class LateEnvironment(module.CredentialProvider):  # type: ignore[misc]
        METHOD = METHOD

        def load(self) -> Any:
            if os.environ.get("AWS_ACCESS_KEY_ID"):
                # Later, botocore's own provider reads them. At capture they are the capture's, and not to be kept.
                return late_credentials() if is_captured_process() else None
            for provider in other_providers:
                credentials = provider.load()
                if credentials is not None:
                    return credentials
            return late_credentials()

    def late_credentials() -> Any:
        class LateCredentials(module.Credentials):  # type: ignore[misc]
            """Credentials that read the environment at each use."""

            def __init__(self) -> None:
                self.method = METHOD
                self.account_id = None

            access_key = _environment_property("AWS_ACCESS_KEY_ID")
            secret_key = _environment_property("AWS_SECRET_ACCESS_KEY")
            token = _environment_property("AWS_SESSION_TOKEN")

            def get_frozen_credentials(self) -> Any:
                if not self.access_key:
                    raise sys.modules["botocore.exceptions"].NoCredentialsError
                return module.ReadOnlyCredentials(self.access_key, self.secret_key, self.token, self.account_id)

        return LateCredentials()

    return LateEnvironment()


def _environment_property(name: str) -> property:
    return property(lambda _: os.environ.get(name))
