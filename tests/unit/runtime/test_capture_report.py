"""The report of a captured program arrives as it was sent, and anything else is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pyl.runtime.restore.capture_report import CaptureReport, Problem, VariableRead


def report() -> CaptureReport:
    return CaptureReport(
        reads=[VariableRead("TABLE", "orders", "/var/task/handlers.py:3"), VariableRead("DEBUG", None, "a.py:1")],
        listing_place="settings.py:7",
        written_variables=["HOME"],
        reopened_descriptors=[3, 5],
        descriptor_holders={4: "handlers.pool (Socket)"},
        module_files={"handlers": "/var/task/handlers.py"},
        kept=[Problem("a key of ec that was generated at import", "handlers.py:9")],
        problems=[Problem("function orders: KeyError: 'TABLE'", "handlers.py:3"), Problem("a thread runs")],
    )


def values(value: Any) -> Any:
    if isinstance(value, list):
        return [values(item) for item in value]
    if hasattr(value, "__slots__"):
        return {name: values(getattr(value, name)) for name in value.__slots__}
    return value


def test_a_report_survives_its_encoding() -> None:
    assert values(CaptureReport.from_json(report().to_json())) == values(report())


def test_an_empty_report_survives_its_encoding() -> None:
    assert values(CaptureReport.from_json(CaptureReport().to_json())) == values(CaptureReport())


@pytest.mark.parametrize("field", CaptureReport.__slots__)
def test_a_report_without_one_of_its_fields_is_refused(field: str) -> None:
    fields = json.loads(report().to_json())
    del fields[field]
    with pytest.raises(ValueError, match=f"an object with the fields .*{field}"):
        CaptureReport.from_json(json.dumps(fields).encode())


def test_an_unknown_field_is_refused() -> None:
    fields = {**json.loads(report().to_json()), "functions": []}
    with pytest.raises(ValueError, match="an object with the fields"):
        CaptureReport.from_json(json.dumps(fields).encode())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("reads", [{"name": "TABLE", "value": 1, "place": ""}]),
        ("reads", [{"name": None, "value": None, "place": ""}]),
        ("reads", {}),
        ("listing_place", 3),
        ("written_variables", [1]),
        ("reopened_descriptors", ["3"]),
        ("reopened_descriptors", [True]),
        ("descriptor_holders", {"four": "pool"}),
        ("descriptor_holders", {"4": None}),
        ("module_files", []),
        ("problems", [{"message": "a thread runs"}]),
        ("problems", ["a thread runs"]),
    ],
)
def test_a_field_of_another_type_is_refused(field: str, value: Any) -> None:
    fields = {**json.loads(report().to_json()), field: value}
    with pytest.raises(ValueError, match=r"needs|invalid literal"):
        CaptureReport.from_json(json.dumps(fields).encode())


def test_what_is_not_json_is_refused() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        CaptureReport.from_json(b"")
