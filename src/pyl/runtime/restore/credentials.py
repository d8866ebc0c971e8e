"""Lets botocore clients that are made at import read their credentials when they sign.

At capture there are none; what Lambda gives to a restored process is read from `os.environ` at each use, so a client
in the image signs with the keys of the instance that it was restored in.
"""

from __future__ import annotations

import os
import sys

from pyl.runtime import import_hooks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

METHOD = "env"
"""As botocore's own provider of the environment calls itself."""


def install() -> Callable[[], None]:
    """Prepare botocore as soon as it is imported; returns what takes the preparation back."""
    return import_hooks.prepare("botocore.credentials", _prepare)


def _prepare(module: Any) -> Callable[[], None]:
    original = module.create_credential_resolver

    def create_credential_resolver(*arguments: Any, **keywords: Any) -> Any:
        resolver = original(*arguments, **keywords)
        rest = list(resolver.providers)
        resolver.providers.insert(0, _provider(module, rest))
        return resolver

    module.create_credential_resolver = create_credential_resolver

    def undo() -> None:
        module.create_credential_resolver = original

    return undo


def _provider(module: Any, others: list[Any]) -> Any:
    class LateEnvironment(module.CredentialProvider):  # type: ignore[misc]
        METHOD = METHOD

        def load(self) -> Any:
            if os.environ.get("AWS_ACCESS_KEY_ID"):
                return None  # they are there already: botocore's own way
            for provider in others:
                found = provider.load()
                if found is not None:
                    return found
            return credentials()

    def credentials() -> Any:
        class LateCredentials(module.Credentials):  # type: ignore[misc]
            """Credentials whose values are those of the environment at the time of use."""

            def __init__(self) -> None:
                self.method = METHOD
                self.account_id = None

            access_key = _from_environment("AWS_ACCESS_KEY_ID")
            secret_key = _from_environment("AWS_SECRET_ACCESS_KEY")
            token = _from_environment("AWS_SESSION_TOKEN")

            def get_frozen_credentials(self) -> Any:
                if not self.access_key:
                    raise sys.modules["botocore.exceptions"].NoCredentialsError
                return module.ReadOnlyCredentials(self.access_key, self.secret_key, self.token, self.account_id)

        return LateCredentials()

    return LateEnvironment()


def _from_environment(name: str) -> property:
    return property(lambda _: os.environ.get(name))
