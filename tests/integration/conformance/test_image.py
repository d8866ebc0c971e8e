"""The native packages of these tests start as they are said to: from the image, and plainly."""

from __future__ import annotations

from integration.conformance.native import NativeCommand
from unit.runtime.api_server import RuntimeAPI


def test_the_image_is_used(api: RuntimeAPI, natives: dict[str, NativeCommand]) -> None:
    with natives["image"].start(api, "evaluate") as process:
        imported = "'pydantic' in __import__('sys').modules"  # by the module of other functions
        assert api.result(imported) is True
        assert process.stderr() == ""


def test_without_an_image_a_package_starts_plainly(api: RuntimeAPI, natives: dict[str, NativeCommand]) -> None:
    with natives["plain"].start(api, "evaluate") as process:
        assert api.result("'pydantic' in __import__('sys').modules") is False
        assert process.stderr() == ""


def test_a_function_runs_its_own_hooks_after_the_restore_and_none_of_other_functions(
    api: RuntimeAPI, natives: dict[str, NativeCommand]
) -> None:
    with natives["image"].start(api, "hooked"):
        assert api.result(None) == ["first", "second", "before", "library restored", "restored"]


def test_a_hook_that_fails_after_the_restore_fails_the_start(
    api: RuntimeAPI, natives: dict[str, NativeCommand]
) -> None:
    with natives["image"].start(api, "failing_restore") as process:
        posted = api.expect("error")
        assert posted.path == "/2018-06-01/runtime/init/error"
        assert posted.json["errorType"] == "ValueError"
        assert "in reconnect" in posted.json["stackTrace"][0]
        api.reply(posted)
        assert process.wait() == 1
    with natives["plain"].start(api, "failing_restore"):
        assert api.result("plain") == "plain"
