"""Callables that run before a process image is captured, after each restore, and before the environment ends.

AWS's `snapshot_restore_py` offers the first two under SnapStart, and what libraries register there runs here too.
Libraries are used by the function's own code, so before an image the function's hooks run first, then the libraries';
after a restore the order is the opposite. Hooks before an image run in reverse order of registration, hooks after a
restore in order of registration.

A process image holds the modules of all functions of a package, hooks included. When one function is served, the hooks
of other functions are dropped: see `pyl.runtime.restore.hook_scoping`.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from typing import Any, TypeVar

    Hook = TypeVar("Hook", bound=Callable[[], object])

    Registrations = list[tuple[str, Callable[[], object]]]

_before: Registrations = []
_after: Registrations = []
_shutdown: Registrations = []
"""Each hook, with the name of the module that registered it in front."""


def before_image(hook: Hook) -> Hook:
    """Register a function that runs before the process image is captured.

    Use it to close what must not be stored in the image: connections, threads, caches of secrets. It runs once, during
    the build, and under SnapStart before the snapshot.

    Args:
        hook: A function without parameters. If it raises, no image is taken.

    Returns:
        The function itself, so this works as a decorator.

    Example:
        ```python
        @before_image
        def disconnect() -> None:
            pool.close()
        ```
    """
    _before.append((_calling_module(), hook))
    return hook


def after_restore(hook: Hook) -> Hook:
    """Register a function that runs after each restore of the process image, before the first event.

    Use it to reopen connections and to refresh what depends on the environment or the time. It runs in every cold start
    from an image, and counts as part of it.

    Args:
        hook: A function without parameters. If it raises, the environment cannot be initialised.

    Returns:
        The function itself, so this works as a decorator.

    Example:
        ```python
        @after_restore
        def connect() -> None:
            pool.open()
        ```
    """
    _after.append((_calling_module(), hook))
    return hook


def before_shutdown(hook: Hook) -> Hook:
    """Register a function that runs when Lambda ends the execution environment.

    Use it to flush what is buffered. Lambda allows 500 ms for all hooks together. The hook that was registered last
    runs first. A hook that raises is logged, and the others still run.

    Args:
        hook: A function without parameters, also `async def`. Register it while the function's module is imported.

    Returns:
        The function itself, so this works as a decorator.

    Example:
        ```python
        @before_shutdown
        def flush() -> None:
            metrics.flush()
        ```
    """
    _shutdown.append((_calling_module(), hook))
    return hook


def before_image_hooks() -> list[Callable[[], object]]:
    """Return the hooks of `before_image` in the order in which they run."""
    return [hook for _, hook in reversed(_before)]


def after_restore_hooks() -> list[Callable[[], object]]:
    """Return the hooks of `after_restore` in the order in which they run."""
    return [hook for _, hook in _after]


def before_shutdown_hooks() -> list[Callable[[], object]]:
    """Return the hooks of `before_shutdown` in the order in which they run."""
    return [hook for _, hook in reversed(_shutdown)]


def has_before_shutdown() -> bool:
    """Return whether any hook of `before_shutdown` is registered."""
    return bool(_shutdown)


def has_hooks_after_image() -> bool:
    """Return whether any hook is registered that runs after the image is taken: after a restore, or at the end."""
    return bool(_after or _shutdown) or any(True for _ in _snapstart_hooks("get_after_restore"))


def registering_modules() -> set[str]:
    """Return the names of the modules that registered hooks that run after the image is taken."""
    return {module for module, _ in (*_after, *_shutdown)}


def drop(modules: Collection[str]) -> None:
    """Remove the hooks that these modules registered and that run after the image is taken."""
    for registrations in (_after, _shutdown):
        registrations[:] = [entry for entry in registrations if entry[0] not in modules]


def run_before_image() -> None:
    """Run the hooks of `before_image`, then those of libraries.

    Raises:
        Exception: What a hook raised; the remaining ones do not run.
    """
    for hook in before_image_hooks():
        hook()
    for call, arguments, keywords in [*_snapstart_hooks("get_before_snapshot")][::-1]:
        call(*arguments, **keywords)


def run_after_restore() -> None:
    """Run the hooks of libraries, then those of `after_restore`.

    Raises:
        Exception: What a hook raised; the remaining ones do not run.
    """
    for call, arguments, keywords in _snapstart_hooks("get_after_restore"):
        call(*arguments, **keywords)
    for hook in after_restore_hooks():
        hook()


def _calling_module() -> str:
    name: str = sys._getframe(2).f_globals.get("__name__", "")  # noqa: SLF001 - the caller of the decorator
    return name


def _snapstart_hooks(getter: str) -> Iterator[tuple[Callable[..., object], tuple[Any, ...], dict[str, Any]]]:
    """Yield what was registered with `snapshot_restore_py`, if anything has imported it."""
    module = sys.modules.get("snapshot_restore_py")
    if module is not None:
        yield from list(getattr(module, getter)())
