"""Forcing cold starts on AWS disturbs neither process images nor AWS."""

from __future__ import annotations

from fnmatch import fnmatchcase

from pyl.bench.remote.measurement import ROUND
from pyl.image.file import guards
from pyl.project.config.checks import RESERVED_VARIABLES


def test_the_variable_is_one_that_guards_take_for_lambdas_own() -> None:
    assert any(fnmatchcase(ROUND, pattern) for pattern in guards.LAMBDA_VARIABLES)


def test_the_variable_is_none_that_aws_refuses_to_have_configured() -> None:
    assert ROUND not in RESERVED_VARIABLES
