"""A native package needs nothing of the machine that it runs on but its kernel."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from integration.projects import EXAMPLES, Built
from integration.test_dependencies import ANSWERS
from pyl.emulator.runtime_api import Answer, Invocation, RuntimeAPI
from pyl.packaging.extraction import unpacked

pytestmark = [
    pytest.mark.compile,
    pytest.mark.skipif(os.geteuid() != 0, reason="making a root folder of its own takes root"),
]

_ENTER = """\
mount --bind "$1" "$1" && {proc} mount -o remount,ro,bind "$1" && cd "$1" &&
exec chroot --userspec=+65534:+65534 "$1" /var/task/bootstrap
"""


@contextmanager
def bare_root(package: Path, folder: Path) -> Iterator[Path]:
    """A root folder with the package at /var/task, an empty /proc, and nothing else."""
    with unpacked(package) as task:
        root = folder / "root"
        (root / "var").mkdir(parents=True)
        (root / "proc").mkdir()
        task.rename(root / "var" / "task")
        try:
            yield root
        finally:
            (root / "var" / "task").rename(task)


def serve(root: Path, name: str, event: bytes, *, proc: bool) -> Answer:
    """The answer of a function that runs in `root`, unprivileged and read-only."""
    enter = _ENTER.format(proc='mount -t proc none "$1/proc" &&' if proc else "")
    with RuntimeAPI() as api:
        api.submit(Invocation(event=event, timeout=20, arn=f"arn:aws:lambda:us-east-1:123456789012:function:{name}"))
        variables = {
            "_HANDLER": f"functions.{name}",
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "LAMBDA_TASK_ROOT": "/var/task",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        }
        process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", enter, "sh", root],
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            return api.answers.get(timeout=30)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            print(process.communicate()[0].decode())


def answer(package: Path, folder: Path, name: str, event: bytes, *, proc: bool = False) -> Any:
    with bare_root(package, folder) as root:
        given = serve(root, name, event, proc=proc)
    assert not given.error, given.payload
    return json.loads(given.payload)


@pytest.mark.parametrize("proc", [False, True], ids=["without /proc", "with /proc"])
def test_it_answers_in_a_root_that_holds_nothing_else(
    example: Callable[[str], Built], tmp_path: Path, proc: bool
) -> None:
    event = '{"text": "ä€"}'.encode()
    assert answer(example("hello").package("native"), tmp_path, "hello", event, proc=proc) == {"text": "ä€"}


def test_it_signs_and_validates_with_all_its_libraries_there(example: Callable[[str], Built], tmp_path: Path) -> None:
    event = (EXAMPLES / "orders" / "events" / "order.json").read_bytes()
    assert answer(example("orders").package("native"), tmp_path, "order", event)["total"] == "31.70"


@pytest.mark.parametrize("function", ["arrays", "bundle", "client", "database", "secret", "waits", "zone"])
def test_wheels_find_what_they_load_late(kitchen: Built, tmp_path: Path, function: str) -> None:
    assert answer(kitchen.package("native"), tmp_path, function, b"{}") == ANSWERS[function]
