"""Hooks run in the documented order, those of AWS's module with them."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from pyl import after_restore, before_image, before_shutdown, hooks
from pyl.runtime.restore import hook_scoping


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


def test_hooks_before_the_shutdown_run_in_reverse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "_shutdown", [])
    assert not hooks.has_before_shutdown()
    first, second = before_shutdown(lambda: 1), before_shutdown(lambda: 2)
    assert hooks.has_before_shutdown()
    assert hooks.before_shutdown_hooks() == [second, first]


def test_hooks_of_another_function_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "_shutdown", [])
    modules = {name: ModuleType(name) for name in ("orders", "invoices", "reports", "database")}
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
        exec("from pyl import after_restore\n@after_restore\ndef hook(): ...", module.__dict__)
    modules["orders"].__dict__["helper"] = modules["invoices"].hook  # as by `from invoices import hook as helper`
    table = {"order": "orders:order", "invoice": "invoices:invoice", "report": "reports:report"}
    expected = {"order": ["orders", "invoices", "database"], "invoice": ["invoices", "database"]}
    for function, kept in expected.items():
        with monkeypatch.context() as context:
            context.setattr(hooks, "_after", list(hooks._after))
            hook_scoping.drop_hooks_of_other_functions(table, f"functions.{function}")
            assert [module for module, _ in hooks._after] == kept
