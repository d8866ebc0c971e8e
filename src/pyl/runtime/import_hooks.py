"""Does something to a module as soon as something else has imported it."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType
    from typing import Any

    Prepare = Callable[[Any], Callable[[], None]]


def prepare(name: str, how: Prepare) -> Callable[[], None]:
    """Prepare a module, at once or when it is imported; returns what takes that back."""
    loaded = sys.modules.get(name)
    if loaded is not None:
        return how(loaded)
    watch = _Watch(name, how)
    sys.meta_path.insert(0, watch)
    return watch.remove


class _Watch:
    """Finds the module as whatever would have found it, and prepares it when it has run."""

    def __init__(self, name: str, how: Prepare) -> None:
        self._name = name
        self._how = how
        self._undo: Callable[[], None] | None = None

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> Any:
        if name != self._name:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader, self)  # type: ignore[assignment]
                return spec
        return None

    def imported(self, module: ModuleType) -> None:
        """Only now is the watch over: an import that failed may be tried again."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        self._undo = self._how(module)

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
        self._watch.imported(module)
