"""Functions that libraries let run in a forked child: they run in a restored process too, which is as new.

A generator of random numbers that seeds itself again in a child, for one, is so told of a restore.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class ForkHooks:
    """Records what is registered with `os.register_at_fork`."""

    def __init__(self) -> None:
        """Record nothing yet."""
        self._before: list[Callable[[], object]] = []
        self._after: list[Callable[[], object]] = []

    def watch(self) -> Callable[[], None]:
        """Start recording; return the callable that ends it."""
        original: Any = os.register_at_fork

        def register_at_fork(*arguments: Any, **functions: Any) -> None:
            original(*arguments, **functions)
            for name, hooks in (("before", self._before), ("after_in_child", self._after)):
                hook = functions.get(name)
                if hook is not None and not _is_of_standard_library(hook):
                    hooks.append(hook)

        os.register_at_fork = register_at_fork

        def undo() -> None:
            os.register_at_fork = original

        return undo

    def restore_actions(self) -> list[Callable[[], object]]:
        """Return what a restored process has to call: what a fork calls before, latest first, and in the child."""
        return [*reversed(self._before), *self._after]


def _is_of_standard_library(hook: Any) -> bool:
    """Return whether the hook is one whose module pyl renews by other means, or that concerns locks and threads."""
    module = getattr(hook, "__module__", None) or type(getattr(hook, "__self__", None)).__module__
    return module.partition(".")[0] in sys.stdlib_module_names
