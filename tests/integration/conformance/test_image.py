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
