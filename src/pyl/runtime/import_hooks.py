"""Actions that run right after a module has been imported by something else."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType
    from typing import Any

    Action = Callable[[Any], Callable[[], None]]


def after_import(name: str, action: Action) -> Callable[[], None]:
    """Run an action on a module: now if it is loaded, else right after its import.

    Args:
        name: Name of the module.
        action: Called with the module; returns the callable that undoes it.

    Returns:
        A callable that undoes the action, or cancels it when the module has not been imported.
    """
    module = sys.modules.get(name)
    if module is not None:
        return action(module)
    finder = _Finder(name, action)
    sys.meta_path.insert(0, finder)
    return finder.cancel


class _Finder:
    """A meta path finder that wraps the loader of one module; the other finders find the module."""

    def __init__(self, name: str, action: Action) -> None:
        self._name = name
        self._action = action
        self._undo: Callable[[], None] | None = None

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> Any:
        if name != self._name:
            return None
        following = sys.meta_path[
            sys.meta_path.index(self) + 1 :
        ]  # one in front, for the same module, has asked already
        for finder in following:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader, self)  # type: ignore[assignment]
                return spec
        return None

    def run_action(self, module: ModuleType) -> None:
        # Only now, because an import that failed may be tried again.
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        self._undo = self._action(module)

    def cancel(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        if self._undo is not None:
            self._undo()


class _Loader:
    """A module's own loader that runs the finder's action afterwards."""

    def __init__(self, loader: Any, finder: _Finder) -> None:
        self._loader = loader
        self._finder = finder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: Any) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._finder.run_action(module)
