"""What a run of the program gets, and what is made of its report."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import pytest

from pyl.architecture import Architecture
from pyl.image import arch
from pyl.image.capture import cold_start_profile, environment_groups
from pyl.image.capture.contacts import Contact, Kind
from pyl.image.capture.sandboxed_program import CannotCapture
from pyl.image.capture.session import Session
from pyl.image.capture.world import PROCESSORS
from pyl.image.snapshot import BASE, FULL
from pyl.runtime.restore.capture_report import CaptureReport, Problem, VariableRead

pytestmark = pytest.mark.skipif(arch.host() is None, reason="this machine's processor has no process images")


@pytest.fixture
def session() -> Session:
    return Session(Path("/package"), {"TABLE": "orders"}, {"handler": {"a": 1}}, functions=("handler", "other"))


def test_the_program_is_told_what_to_load_and_what_is_configured(session: Session) -> None:
    environment = session._environment
    assert environment["TABLE"] == "orders"
    assert environment["PYL_CONFIGURED"] == "TABLE"
    assert environment["PYL_FUNCTIONS"] == "handler other"
    assert json.loads(environment["PYL_WARM_UP"]) == {"handler": {"a": 1}}


def test_a_later_session_has_memory_and_hashes_of_an_earlier_one(session: Session) -> None:
    later = Session(Path("/package"), {}, {}, like=session)
    assert (later.address, later.hash_seed) == (session.address, session.hash_seed)
    assert "PYL_WARM_UP" not in later._environment


def test_problems_of_the_import_are_reasons(session: Session) -> None:
    report = CaptureReport(problems=[Problem("it failed", "app.py:3"), Problem("no glibc")])
    session._read_report(report.to_json())
    assert session.reasons == ["it failed (app.py:3)", "no glibc"]


def test_reads_of_c_code_count_unless_a_restored_process_reads_again(session: Session) -> None:
    session.report = CaptureReport(written_variables=["SET_BY_IMPORT"])
    session._variables_of_c_code = {
        BASE: {"TZ": "libc.so.6", "TABLE": "libssl.so.3", "OWN": "_native.so"},
        FULL: {"SET_BY_IMPORT": "libx.so", "TZ": "libx.so"},
    }
    assert [(read.name, read.value) for read in session.reads_of_c_code(BASE)] == [("TABLE", "orders")]
    assert [read.where for read in session.reads_of_c_code(FULL)] == ["C code of libx.so"]


def test_functions_are_apart_where_an_import_read_what_they_are_configured_with_differently(session: Session) -> None:
    session.report = CaptureReport(reads=[VariableRead("STAGE", None, "app.py:1")])
    configured = {"a": {"STAGE": "1", "X": "1"}, "b": {"STAGE": "2", "X": "2"}, "c": {"STAGE": "1", "X": "3"}}
    partition = functools.partial(environment_groups.partition_by_environment, session, configured, swept_matter=False)
    assert partition() == (("a", "c"), ("b",))
    session.report = CaptureReport()
    assert partition() == ()


def test_a_listing_separates_by_the_projects_variables_and_by_lambdas_if_they_matter(session: Session) -> None:
    session.report = CaptureReport(listing_place="app.py:1")
    variables = {
        "a": {"AWS_LAMBDA_FUNCTION_NAME": "a", "X": "1"},
        "b": {"AWS_LAMBDA_FUNCTION_NAME": "b", "X": "1"},
        "c": {"AWS_LAMBDA_FUNCTION_NAME": "c", "X": "2"},
    }
    partition = functools.partial(environment_groups.partition_by_environment, session, variables)
    assert partition(swept_matter=False) == (("a", "b"), ("c",))
    assert partition(swept_matter=True) == (("a",), ("b",), ("c",))


def test_functions_with_other_processors_are_apart_where_their_number_matters(session: Session) -> None:
    variables = {"a": {PROCESSORS: "2"}, "b": {PROCESSORS: "6"}}
    partition = functools.partial(environment_groups.partition_by_environment, session, variables)
    assert partition(swept_matter=True) == ()
    session.contacts = {FULL: (Contact(Kind.PROCESSORS, "libc.so.6"),)}
    assert partition(swept_matter=True) == (("a",), ("b",))
    assert partition(swept_matter=False) == ()
    session.contacts = {BASE: (Contact(Kind.PROCESSORS, "libc.so.6"),)}
    assert partition(swept_matter=False) == (("a",), ("b",))


def test_common_variables_are_those_with_one_value() -> None:
    environments: list[dict[str, str]] = [{"STAGE": "1", "X": "1"}, {"STAGE": "1", "X": "3"}]
    assert environment_groups.common_variables(environments) == {"STAGE": "1"}


def test_a_machine_without_images_cannot_capture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Architecture, "host", classmethod(lambda _: Architecture.ARM64))
    with pytest.raises(CannotCapture, match="no process images"):
        Session(Path("/package"), {}, {})
    assert cold_start_profile.record(Path("/package"), [], environment={}, events={}) == {}


def test_the_profiles_event_is_a_whole_response() -> None:
    head, _, body = cold_start_profile._event({"key": "value"}).partition(b"\r\n\r\n")
    assert json.loads(body) == {"key": "value"}
    assert f"Content-Length: {len(body)}".encode() in head
