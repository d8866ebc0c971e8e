"""Guards: an image is used only where a plain start would have answered the same."""

from __future__ import annotations

import subprocess
import textwrap

import pytest

from integration.image.lambda_environment import Environment
from integration.image.packages import CaptureHandlers
from pyl.image.create import ImageRefused

READS = textwrap.dedent(
    """
    import os, time
    table = os.environ.get("TABLE", "none")
    debug = "DEBUG" in os.environ
    imported = time.time()
    def handler(event, context) -> None:
        return {"table": table, "debug": debug, "late": os.environ.get("LATE"), "imported": imported}
    """
)


def test_the_full_image_is_used_when_what_was_read_at_import_is_as_it_was(
    captured: CaptureHandlers, run: type[Environment]
) -> None:
    package, result = captured(READS, environment={"TABLE": "orders"})
    assert {("TABLE", "orders"), ("DEBUG", "")} <= {(guard.name, guard.value) for guard in result.guards}
    assert {read.name for read in result.environment if "handlers.py" in read.where} == {"TABLE", "DEBUG"}
    imported = set()
    for late in ("1", "2"):
        with run(package, environment={"TABLE": "orders", "LATE": late}) as environment:
            answer = environment.invoke()
            assert (answer["table"], answer["late"], environment.notices) == ("orders", late, [])
            imported.add(answer["imported"])
    assert len(imported) == 1


@pytest.mark.parametrize(
    ("differing", "guard", "table", "debug"),
    [
        ({"TABLE": "others"}, "TABLE", "others", False),
        ({}, "TABLE", "none", False),
        ({"TABLE": "orders", "DEBUG": ""}, "DEBUG", "orders", True),
    ],
)
def test_another_value_gives_the_base_image_the_right_answer_and_one_line(
    captured: CaptureHandlers, run: type[Environment], differing: dict[str, str], guard: str, table: str, debug: bool
) -> None:
    package, _ = captured(READS, environment={"TABLE": "orders"})
    with run(package, environment=differing) as environment:
        answer = environment.invoke()
        (notice,) = environment.notices
    assert (answer["table"], answer["debug"]) == (table, debug)
    assert (notice["guard"], notice["instead"]) == (guard, "base image")
    assert "orders" not in str(notice)


def test_code_that_looks_at_all_variables_is_guarded_against_new_ones(
    captured: CaptureHandlers, run: type[Environment]
) -> None:
    source = (
        "import os\nsettings = {k: v for k, v in os.environ.items() if k.startswith('APP_')}\n"
        "def handler(event, context): return settings\n"
    )
    package, _ = captured(source, environment={"APP_A": "1"})
    with run(package, environment={"APP_A": "1"}) as environment:
        assert environment.invoke() == {"APP_A": "1"}
        assert environment.notices == []
    with run(package, environment={"APP_A": "1", "APP_SECRET": "value"}) as environment:
        assert environment.invoke() == {"APP_A": "1", "APP_SECRET": "value"}
        assert [notice["found"] for notice in environment.notices] == ["APP_SECRET"]
        assert "value" not in str(environment.notices)


IN_C = textwrap.dedent(
    """
    import ctypes, os, sys, time
    getenv = ctypes.CDLL(None).getenv
    getenv.restype = ctypes.c_char_p
    os.environ["WRITTEN_AT_IMPORT"] = "here"
    setting, written = getenv(b"NATIVE_SETTING"), getenv(b"WRITTEN_AT_IMPORT")
    imported = time.time()
    def handler(event, context) -> None:
        return [(setting or b"none").decode(), written.decode(), hash("x"), imported, sys.flags.hash_randomization]
    """
)


def test_what_c_code_read_at_import_is_guarded_like_what_python_code_read(
    captured: CaptureHandlers, run: type[Environment]
) -> None:
    package, result = captured(IN_C, environment={"NATIVE_SETTING": "a"})
    assert ("NATIVE_SETTING", "a") in {(guard.name, guard.value) for guard in result.guards}
    assert "WRITTEN_AT_IMPORT" not in {guard.name for guard in result.guards}
    imported = set()
    for _ in range(2):
        with run(package, environment={"NATIVE_SETTING": "a"}) as environment:
            answer = environment.invoke()
            assert (answer[:2], environment.notices) == (["a", "here"], [])
            imported.add(answer[3])
    assert len(imported) == 1
    for value, differing in (("b", {"NATIVE_SETTING": "b"}), ("none", {})):
        with run(package, environment=differing) as environment:
            assert environment.invoke()[:2] == [value, "here"]
            (notice,) = environment.notices
            assert (notice["guard"], notice["instead"]) == ("NATIVE_SETTING", "base image")


@pytest.mark.parametrize("variable", [{"PYTHONHASHSEED": "0"}, {"LC_ALL": "C.UTF-8"}, {"LD_PRELOAD": ""}])
def test_what_the_interpreter_itself_reads_gives_a_plain_start(
    captured: CaptureHandlers, run: type[Environment], variable: dict[str, str]
) -> None:
    package, _ = captured(IN_C)
    with run(package, environment=variable, plain=True) as environment:
        plain = environment.invoke()
    with run(package, environment=variable) as environment:
        answer = environment.invoke()
        (notice,) = environment.notices
    assert ([notice["guard"]], notice["instead"]) == (list(variable), "plain start")
    if "PYTHONHASHSEED" in variable:
        assert (answer[2], answer[4]) == (plain[2], 0)


def test_elsewhere_than_in_var_task_the_program_starts_plainly(captured: CaptureHandlers) -> None:
    package, _ = captured(READS)
    environment = {"_HANDLER": "functions.handler", "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1"}
    done = subprocess.run([package / "bootstrap"], env=environment, capture_output=True, text=True)
    assert '"guard":"task root","instead":"plain start"' in done.stderr.splitlines()[0]


REFUSED = {
    "a thread": (
        "import threading, time\nthreading.Thread(target=time.sleep, args=(99,), daemon=True).start()\n",
        "handlers.py:2",
    ),
    "an open file": ("kept = open('/etc/passwd')\n", "/etc/passwd, held by handlers.kept"),
    "a socket": ("import socket\nkept = socket.socket()\n", "held by handlers.kept (socket)"),
    "an event loop": ("import asyncio\nloop = asyncio.new_event_loop()\n", "held by handlers.loop"),
    "shared memory": ("import mmap\nkept = mmap.mmap(-1, 4096)\nkept[0] = 1\n", "shared"),
    "an import that fails": ("import os\nos.environ['ONLY_IN_LAMBDA']\n", "handlers.py:2"),
    "the network": ("import urllib.request\nurllib.request.urlopen('http://192.0.2.1/', timeout=5)\n", "handlers.py:2"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_stored_leaves_the_base_image_and_a_reason(
    captured: CaptureHandlers, run: type[Environment], name: str
) -> None:
    source, said = REFUSED[name]
    package, result = captured(source + "def handler(event, context): return 'answered'\n")
    assert result.kind == "base"
    assert said in " ".join(result.reasons), result.reasons
    with run(package, environment={"ONLY_IN_LAMBDA": "1"}) as environment:
        if name == "the network":
            assert "urlopen" in str(environment.init_error())
        else:
            assert environment.invoke() == "answered"


def test_require_makes_a_refusal_an_error(captured: CaptureHandlers) -> None:
    with pytest.raises(ImageRefused, match="ONLY_IN_LAMBDA"):
        captured("import os\nos.environ['ONLY_IN_LAMBDA']\ndef handler(event, context): ...\n", mode="require")
