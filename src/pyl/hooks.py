"""What a function does around the taking of its process image, and after each restore of it.

AWS's `snapshot_restore_py` serves the same two moments under SnapStart; what libraries registered there
runs here too. Libraries lie below the function's own code, so before an image the function's hooks run
first and the libraries' after them; after a restore it is the other way round. Each group runs in reverse
order of registration before, in order of registration after.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeVar

    Hook = TypeVar("Hook", bound=Callable[[], object])

_before: list[Callable[[], object]] = []
_after: list[Callable[[], object]] = []


def before_image(hook: Hook) -> Hook:
    """Call this function, without arguments, before the process image is taken: close what must not be
    stored."""
    _before.append(hook)
    return hook


def after_restore(hook: Hook) -> Hook:
    """Call this function, without arguments, after each restore of the image, before the first event:
    reopen, refresh."""
    _after.append(hook)
    return hook


def own_before_image() -> list[Callable[[], object]]:
    """Return the hooks of `before_image` in the order in which they run."""
    return _before[::-1]


def own_after_restore() -> list[Callable[[], object]]:
    """Return the hooks of `after_restore` in the order in which they run."""
    return _after[:]


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


def _registered(getter: str) -> Iterator[tuple[Callable[..., object], tuple[Any, ...], dict[str, Any]]]:
    """Yield what was registered with `snapshot_restore_py`, if anything has imported it."""
    module = sys.modules.get("snapshot_restore_py")
    if module is not None:
        yield from list(getattr(module, getter)())
