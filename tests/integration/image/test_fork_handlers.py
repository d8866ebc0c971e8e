"""Generators of libraries that seed themselves anew by `pthread_atfork` do so in each restored process."""

from __future__ import annotations

from pathlib import Path

import pytest

from integration.image import packages
from integration.image.lambda_environment import Environment
from integration.image.libraries import add_library
from pyl.image.create import capture

GENERATOR = """
#include <pthread.h>
#include <string.h>
#include <sys/random.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long state;
static char calls[64];

static void note(const char *name) { strncat(calls, name, 1); }
static void draw(void) { getrandom(&state, sizeof state, 0); }
static void prepare_first(void) { note("A"); pthread_mutex_lock(&lock); }
static void child_first(void) { pthread_mutex_unlock(&lock); note("a"); }
static void parent(void) { pthread_mutex_unlock(&lock); memset(calls, 0, sizeof calls); }
static void prepare_second(void) { note("B"); }
static void child_second(void) { note("b"); RENEW; }

__attribute__((constructor)) static void start(void)
{
    draw();
    pthread_atfork(prepare_first, parent, child_first);
    pthread_atfork(prepare_second, NULL, child_second);
}

unsigned long number(void)
{
    pthread_mutex_lock(&lock);
    state = state * 6364136223846793005ul + 1442695040888963407ul;
    pthread_mutex_unlock(&lock);
    return state;
}

const char *called(void) { return calls; }
"""
HANDLERS = """
import ctypes, os

generator = ctypes.CDLL(os.path.join(os.path.dirname(__file__), "generator.so"))
generator.number.restype = ctypes.c_ulong
generator.called.restype = ctypes.c_char_p

def handler(event, context):
    return [generator.number(), generator.called().decode()]
"""


def package_of(base: Path, folder: Path, renew: str) -> Path:
    made = packages.with_functions(base, folder / "package", {"handlers.py": HANDLERS}, {"handler": "handlers:handler"})
    add_library(made, "generator.so", GENERATOR, f"-DRENEW={renew}")
    return made


def test_handlers_that_draw_run_after_each_restore_in_the_order_of_a_fork(
    base: Path, tmp_path: Path, run: type[Environment]
) -> None:
    package = package_of(base, tmp_path, "draw()")
    result = capture(package, environment={"AWS_REGION": "us-east-1"})
    assert (result.kind, result.reasons) == ("full", ())
    answers = []
    for _ in range(3):
        with run(package) as environment:
            answers.append(environment.invoke())
            assert environment.notices == []
    assert len({number for number, _ in answers}) == 3
    assert [calls for _, calls in answers] == ["BAabBAab"] * 3


@pytest.mark.parametrize("is_overwritten", [True, False])
def test_handlers_that_draw_nothing_run_only_in_the_capture(
    base: Path, tmp_path: Path, run: type[Environment], is_overwritten: bool
) -> None:
    package = package_of(base, tmp_path, "state = 7" if is_overwritten else "(void)0")
    result = capture(package, environment={"AWS_REGION": "us-east-1"})
    if not is_overwritten:
        assert result.kind == "base"
        assert [reason.partition(" drawn")[0] for reason in result.reasons] == ["it keeps 8 random bytes"]
        return
    assert (result.kind, result.reasons) == ("full", ())
    with run(package) as environment:
        assert environment.invoke()[1] == "BAab"
