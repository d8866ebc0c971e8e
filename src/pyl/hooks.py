"""What a function does around the taking of its process image, after each restore of it, and at the end.

AWS's `snapshot_restore_py` serves the same two moments under SnapStart; what libraries registered there
runs here too. Libraries lie below the function's own code, so before an image the function's hooks run
first and the libraries' after them; after a restore it is the other way round. Each group runs in reverse
order of registration before, in order of registration after.

A process image holds the modules of all functions of a package, hooks included. Where one function is served, the
hooks that belong to others are left out: see `pyl.runtime.restore.hook_scoping`.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from typing import Any, TypeVar

    Hook = TypeVar("Hook", bound=Callable[[], object])

    Registered = list[tuple[str, Callable[[], object]]]

_before: Registered = []
_after: Registered = []
_shutdown: Registered = []
"""Each hook, behind the name of the module that registered it."""


def before_image(hook: Hook) -> Hook:
    """Call this function, without arguments, before the process image is taken: close what must not be
    stored."""
    _before.append((_registrant(), hook))
    return hook


def after_restore(hook: Hook) -> Hook:
    """Call this function, without arguments, after each restore of the image, before the first event:
    reopen, refresh."""
    _after.append((_registrant(), hook))
    return hook


def before_shutdown(hook: Hook) -> Hook:
    """Call this function, without arguments, when Lambda ends the environment: flush, say goodbye.

    Lambda allows 500 ms for all hooks; the last registered runs first. It may be `async def`. It must be registered
    while the function's module is imported.
    """
    _shutdown.append((_registrant(), hook))
    return hook


def own_before_shutdown() -> list[Callable[[], object]]:
    """Return the hooks of `before_shutdown` in the order in which they run."""
    return [hook for _, hook in reversed(_shutdown)]


def any_before_shutdown() -> bool:
    """Whether there are hooks of `before_shutdown`."""
    return bool(_shutdown)


def own_before_image() -> list[Callable[[], object]]:
    """Return the hooks of `before_image` in the order in which they run."""
    return [hook for _, hook in reversed(_before)]


def own_after_restore() -> list[Callable[[], object]]:
    """Return the hooks of `after_restore` in the order in which they run."""
    return [hook for _, hook in _after]


def registrants() -> set[str]:
    """Return the names of the modules that registered hooks for what is still to come."""
    return {module for module, _ in (*_after, *_shutdown)}


def leave_out(modules: Collection[str]) -> None:
    """Forget what these modules registered for what is still to come."""
    for registered in (_after, _shutdown):
        registered[:] = [entry for entry in registered if entry[0] not in modules]


def run_before_image() -> None:
    """Run every hook that wants to be run before the image is taken. What a hook raises is passed on."""
    for hook in own_before_image():
        hook()
    for call, arguments, keywords in [*_registered("get_before_snapshot")][::-1]:
        call(*arguments, **keywords)


def run_after_restore() -> None:
    """Run every hook that wants to be run after a restore. What a hook raises is passed on."""
    for call, arguments, keywords in _registered("get_after_restore"):
        call(*arguments, **keywords)
    for hook in own_after_restore():
        hook()


def any_to_come() -> bool:
    """Whether there are hooks for what is still to come after the image is taken."""
    return bool(_after or _shutdown) or any(True for _ in _registered("get_after_restore"))


def _registrant() -> str:
    name: str = sys._getframe(2).f_globals.get("__name__", "")  # noqa: SLF001 - the caller of the decorator
    return name


def _registered(getter: str) -> Iterator[tuple[Callable[..., object], tuple[Any, ...], dict[str, Any]]]:
    """Yield what was registered with `snapshot_restore_py`, if anything has imported it."""
    module = sys.modules.get("snapshot_restore_py")
    if module is not None:
        yield from list(getattr(module, getter)())
