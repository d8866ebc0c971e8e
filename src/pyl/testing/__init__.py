"""Runs functions in tests as Lambda would: each in its own process, from source or from a built package.

The pytest plugin gives tests the fixture `pyl_function`:

    def test_notify(pyl_function):
        notify = pyl_function("notify")
        assert notify({"Records": []}) == {"handled": []}

`pytest --pyl native` runs the same test against the native package.
"""

from __future__ import annotations

from pyl.testing.local_function import FunctionError, LocalFunction

__all__ = ["FunctionError", "LocalFunction"]
