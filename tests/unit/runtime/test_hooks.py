"""Hooks run in the documented order, those of AWS's module with them."""

from __future__ import annotations

import sys

import pytest

from pyl import after_restore, before_image, hooks


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "_before", [])
    monkeypatch.setattr(hooks, "_after", [])
    import snapshot_restore_py

    monkeypatch.setattr(snapshot_restore_py, "_before_snapshot_registry", [])
    monkeypatch.setattr(snapshot_restore_py, "_after_restore_registry", [])


def test_before_an_image_the_functions_hooks_run_before_the_libraries_each_in_reverse() -> None:
    import snapshot_restore_py

    seen: list[str] = []
    snapshot_restore_py.register_before_snapshot(seen.append, "library 1")
    before_image(lambda: seen.append("function 1"))
    snapshot_restore_py.register_before_snapshot(seen.append, "library 2")
    before_image(lambda: seen.append("function 2"))
    hooks.run_before_image()
    assert seen == ["function 2", "function 1", "library 2", "library 1"]


def test_after_a_restore_the_libraries_hooks_run_first_each_in_order() -> None:
    import snapshot_restore_py

    seen: list[str] = []
    after_restore(lambda: seen.append("function 1"))
    after_restore(lambda: seen.append("function 2"))
    snapshot_restore_py.register_after_restore(seen.append, "library 1")
    snapshot_restore_py.register_after_restore(seen.append, "library 2")
    hooks.run_after_restore()
    assert seen == ["library 1", "library 2", "function 1", "function 2"]


def test_a_hook_stays_a_function() -> None:
    def hook() -> int:
        return 5

    assert before_image(hook) is hook
    assert after_restore(hook) is hook


def test_awss_module_is_not_imported_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "snapshot_restore_py")
    hooks.run_before_image()
    hooks.run_after_restore()
    assert "snapshot_restore_py" not in sys.modules


def test_what_a_hook_raises_is_passed_on() -> None:
    @before_image
    def hook() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        hooks.run_before_image()
