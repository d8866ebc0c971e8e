"""Lets botocore clients that are made at import read their credentials when they sign.

At capture there are none; what Lambda gives to a restored process is read from `os.environ` at each use, so a client
in the image signs with the keys of the instance that it was restored in.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType
    from typing import Any

_MODULE = "botocore.credentials"
METHOD = "env"
"""As botocore's own provider of the environment calls itself."""


def install() -> Callable[[], None]:
    """Prepare `botocore.credentials` as soon as it is imported; returns what takes the preparation back."""
    if (loaded := sys.modules.get(_MODULE)) is not None:
        return _prepare(loaded)
    watch = _Watch()
    sys.meta_path.insert(0, watch)
    return watch.remove


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


class _Watch:
    """Finds the module as whatever would have found it, and prepares it as soon as it has run."""

    def __init__(self) -> None:
        self._undo: Callable[[], None] | None = None

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> Any:
        if name != _MODULE:
            return None
        sys.meta_path.remove(self)
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader = _Loader(spec.loader, self)  # type: ignore[assignment]
                return spec
        return None

    def prepare(self, module: ModuleType) -> None:
        self._undo = _prepare(module)

    def remove(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        if self._undo is not None:
            self._undo()


class _Loader:
    """A module's own loader, and what is to be done after it."""

    def __init__(self, loader: Any, watch: _Watch) -> None:
        self._loader = loader
        self._watch = watch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: Any) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._watch.prepare(module)
