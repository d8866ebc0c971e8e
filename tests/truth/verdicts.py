"""Judges a case: the same answers as the plain start and nothing that repeats, or not full with the place named."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyl.image.result import CaptureResult
from truth.captures import EVENT, Captured
from truth.case import Case
from truth.instance import INSTANCES, Function, Instance, instance
from truth.start import Start, StartFailed


@dataclass(frozen=True)
class Verdict:
    """What was seen of a case, and whether it holds."""

    holds: bool
    image: str
    """Kind of the image: `full`, `base` or `none`."""
    reason: str = ""
    """Why it does not hold; or why the image is not full."""


@dataclass(frozen=True)
class _Answer:
    instance: Instance
    value: Any
    notices: tuple[Mapping[str, Any], ...] = ()


class BrokenCase(Exception):
    """The plain start does not do what the case says. The case is wrong, not the image."""


def judge(case: Case, captured: Captured) -> Verdict:
    """Start a case in all instances, plainly and from the image."""
    result = captured.result
    try:
        plain = _plain_answers(case, captured)
    except BrokenCase as error:
        return Verdict(False, result.kind, f"broken case: {error}")
    answers = []
    for number in INSTANCES:
        try:
            answers.append(_start(case, captured, number, plain=False))
        except StartFailed as error:
            return Verdict(False, result.kind, f"instance {number}: {error}")
    problem = _find_wrong_answer(case, captured, answers, plain)
    if problem is None and result.kind == "full":
        problem = _find_unused(case, answers)
    if problem is None and result.kind != "full":
        problem = _find_unnamed(case, result)
        return Verdict(problem is None, result.kind, problem or _short(result))
    return Verdict(problem is None, result.kind, problem or "")


def _plain_answers(case: Case, captured: Captured) -> list[_Answer]:
    try:
        numbers = INSTANCES if case.expectation == "same" else INSTANCES[:2]
        answers = [_start(case, captured, number, plain=True) for number in numbers]
    except StartFailed as error:
        raise BrokenCase(str(error)) from error
    if case.expectation == "distinct" and (repeated := _find_repeated(answers)):
        msg = f"the plain start repeats {repeated}"
        raise BrokenCase(msg)
    return answers


def _start(case: Case, captured: Captured, number: int, *, plain: bool) -> _Answer:
    function = Function(case.name, case.environment, case.memory_size, case.log_format)
    where = instance(number, function, case.environment)
    with Start(captured.package, where, case.files, plain=plain) as start:
        answer = start.invoke(EVENT)
        return _Answer(where, answer, tuple(start.notices))


def _find_wrong_answer(case: Case, captured: Captured, answers: list[_Answer], plain: list[_Answer]) -> str | None:
    """Return what is wrong with the answers from the image, or None."""
    if case.expectation == "noted":
        return None
    if case.expectation == "same":
        for answer, truth in zip(answers, plain, strict=True):
            if answer.value != truth.value:
                return f"instance {answer.instance.number}: {_difference(answer.value, truth.value)}"
        return None
    try:
        repetition = [_start(case, captured, INSTANCES[0], plain=False)]
    except StartFailed as error:
        return f"second start: {error}"
    repeated = _find_repeated([*answers, *repetition])
    return f"repeats {repeated}" if repeated else None


def _find_repeated(answers: list[_Answer]) -> str | None:
    """Return a value that appears in two starts, or twice in one."""
    seen: set[str] = set()
    for answer in answers:
        values = answer.value.values() if isinstance(answer.value, dict) else [answer.value]
        for value in values:
            text = json.dumps(value, sort_keys=True)
            if text in seen:
                return _shortened(text)
            seen.add(text)
    return None


def _find_unused(case: Case, answers: list[_Answer]) -> str | None:
    """Return why the full image was not used where it should be, or None."""
    for answer in answers:
        may_differ = bool(case.files) and answer.instance.has_files
        if answer.notices and not may_differ:
            notice = answer.notices[0]
            details = {key: value for key, value in notice.items() if key not in {"level", "message", "logger"}}
            return f"full, but not used in instance {answer.instance.number}: {_shortened(json.dumps(details))}"
    return None


def _find_unnamed(case: Case, result: CaptureResult) -> str | None:
    """Return why an image that is not full does not satisfy a case, or None."""
    if case.must_be_full:
        return f"must be full: {_short(result)}"
    names = [re.escape(name) for requirement in case.requires for name in {requirement, requirement.replace("-", "_")}]
    # A line of a dependency, and a variable whose value memory holds, tell what to change as well.
    libraries = "|".join([r"\S+\.so\b", r"/site/\S+\.py:\d+", r"it keeps AWS_", *(rf"\b{name}\b" for name in names)])
    if names_line(case, result) or re.search(libraries, "\n".join(result.reasons)):
        return None
    return f"names no place: {_short(result)}"


def names_line(case: Case, result: CaptureResult) -> bool:
    """Return whether the reasons why an image is not full name a line of a case, or a global of its module."""
    line, holder = rf"\b{re.escape(case.file)}:\d+", rf"held by {re.escape(case.name)}\.\w+"
    return re.search(f"{line}|{holder}", "\n".join(result.reasons)) is not None


def _short(result: CaptureResult) -> str:
    return _shortened("; ".join(result.reasons) or "no reason")


def _difference(image: Any, plain: Any) -> str:
    if isinstance(image, dict) and isinstance(plain, dict):
        for key in sorted({*image, *plain}, key=str):
            if image.get(key) != plain.get(key) or (key in image) != (key in plain):
                absent = "(absent)"
                return f"{key}: {_text(image.get(key, absent))}, plain {_text(plain.get(key, absent))}"
    return f"{_text(image)}, plain {_text(plain)}"


def _text(value: Any) -> str:
    return _shortened(json.dumps(value), 70)


def _shortened(text: str, length: int = 220) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"
