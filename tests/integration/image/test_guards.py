"""Guards: an image is used only where a plain start would have answered the same."""

from __future__ import annotations

import subprocess
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from integration.image import packages
from integration.image.forged_headers import header_of, overwrite, replace_guard
from integration.image.lambda_environment import Environment
from integration.image.packages import CaptureHandlers
from pyl.cli import image
from pyl.image.create import ImageRefused, capture
from pyl.image.file import guards
from pyl.image.file.guards import Guard
from pyl.image.file.names import IMAGE

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


IDENTITY = textwrap.dedent(
    """
    import os, time
    room = os.environ["ROOM"]
    imported = time.time()
    def handler(event, context):
        return {"user": (os.getuid(), os.getgid()), "processors": len(os.sched_getaffinity(0)), "imported": imported}
    """
)
ROOM = "room for the strings of other guards".ljust(200)


@pytest.fixture(scope="module")
def package(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package whose image has one guard, of ROOM, that `with_guard` replaces."""
    folder = tmp_path_factory.mktemp("guarded") / "package"
    package = packages.with_functions(base, folder, {"handlers.py": IDENTITY}, {"handler": "handlers:handler"})
    (package / "dangling").symlink_to("missing")
    assert capture(package, environment={"ROOM": ROOM}).kind == "full"
    return package


@pytest.fixture
def with_guard(package: Path) -> Iterator[Callable[[Guard], Path]]:
    original = header_of(package / IMAGE)

    def replace(guard: Guard) -> Path:
        replace_guard(package / IMAGE, "ROOM", guard)
        return package

    yield replace
    overwrite(package / IMAGE, bytes(original))


HOLDING = {
    "a variable that is set": guards.present_guard("PRESENT"),
    "a variable that is set, and empty": guards.present_guard("EMPTY"),
    "a file": guards.path_guard("/var/task/bootstrap", exists=True),
    "a folder": guards.path_guard("/var/task", exists=True),
    "no file": guards.path_guard("/var/task/missing", exists=False),
    "nothing below a file": guards.path_guard("/var/task/bootstrap/below", exists=False),
}
FAILING = {
    "a variable that is not set": guards.present_guard("ABSENT"),
    "the beginning of a variable's name": guards.present_guard("PRES"),
    "no file where one is": guards.path_guard("/var/task/bootstrap", exists=False),
    "a file where none is": guards.path_guard("/var/task/missing", exists=True),
    "a file below a file": guards.path_guard("/var/task/bootstrap/below", exists=True),
    "a link to nothing, which was a file": guards.path_guard("/var/task/dangling", exists=True),
    "a link to nothing, where nothing was": guards.path_guard("/var/task/dangling", exists=False),
    "a path that is too long to look at": guards.path_guard("/" + "x" * 190, exists=True),
    "another user": guards.user_guard(4_000_000_000, 0),
    "no numbers": Guard(guards.user_guard(0, 0).kind, "", "0:0 "),
    "another number of processors": guards.processors_guard(8191),
}
VARIABLES = {"ROOM": ROOM, "PRESENT": "secret", "EMPTY": ""}


@pytest.mark.parametrize("name", HOLDING)
def test_a_guard_of_variables_or_paths_holds(
    with_guard: Callable[[Guard], Path], run: type[Environment], name: str
) -> None:
    with run(with_guard(HOLDING[name]), environment=VARIABLES) as environment:
        assert environment.invoke()["imported"]
        assert environment.notices == []


@pytest.mark.parametrize("name", FAILING)
def test_a_guard_that_fails_gives_the_base_image_and_one_line(
    with_guard: Callable[[Guard], Path], run: type[Environment], name: str
) -> None:
    guard = FAILING[name]
    with run(with_guard(guard), environment=VARIABLES) as environment:
        assert environment.invoke()["imported"]
        (notice,) = environment.notices
    names = {guards.user_guard(0, 0).kind: "user", guards.processors_guard(0).kind: "processors"}
    assert (notice["guard"], notice["instead"]) == (names.get(guard.kind, guard.name), "base image")
    assert "secret" not in str(notice)
    assert "inside the handler" in notice["message"]


def test_user_and_processors_are_those_that_the_program_sees(
    package: Path, with_guard: Callable[[Guard], Path], run: type[Environment]
) -> None:
    original = bytes(header_of(package / IMAGE))
    with run(package, environment=VARIABLES) as environment:
        seen = environment.invoke()
    for guard in (guards.user_guard(*seen["user"]), guards.processors_guard(seen["processors"])):
        overwrite(package / IMAGE, original)
        with run(with_guard(guard), environment=VARIABLES) as environment:
            assert (environment.invoke()["imported"], environment.notices) == (seen["imported"], [])


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


@pytest.mark.parametrize(("kept", "guarded"), [("KEPT = os.cpu_count()", True), ("os.cpu_count()", False)])
def test_the_number_of_processors_is_guarded_where_the_image_depends_on_it(
    captured: CaptureHandlers, kept: str, guarded: bool
) -> None:
    _, result = captured(f"import os\n{kept}\ndef handler(event, context): return 1\n")
    assert (result.kind, result.reasons) == ("full", ())
    assert (guards.processors_guard(2) in result.guards) == guarded


def test_the_id_of_a_thread_is_not_kept(captured: CaptureHandlers) -> None:
    source = "import threading\nOWNER = threading.get_native_id()\ndef handler(event, context): return OWNER\n"
    _, result = captured(source)
    assert result.kind == "base"
    assert "the process id" in result.reasons[0]
    assert "handlers.py:2" in result.reasons[0]


KEPT = "import os\nSECRET = os.urandom(16)\ndef handler(event, context): return SECRET.hex()\n"


def test_what_the_project_accepts_is_kept_and_told(captured: CaptureHandlers, run: type[Environment]) -> None:
    package, result = captured(KEPT, accept=("handlers.py:2", "redis"))
    assert (result.kind, result.reasons) == ("full", ())
    assert result.accepted == ("it keeps 16 random bytes drawn at import (/var/task/pyl/app/site/handlers.py:2)",)
    assert result.notes == ("`accept` names redis, which keeps nothing of its instance",)
    shown = CliRunner().invoke(image.command, [str(package)])
    assert f"accepted   {result.accepted[0]}" in shown.stdout
    answers = []
    for _ in range(2):
        with run(package) as environment:
            answers.append(environment.invoke())
            assert environment.notices == []
    assert len(set(answers)) == 1


def test_another_line_is_not_accepted(captured: CaptureHandlers) -> None:
    _, result = captured(KEPT, accept=("handlers.py:3",))
    assert result.kind == "base"
    assert result.accepted == ()


def test_what_a_child_did_is_not_kept_and_it_can_run(captured: CaptureHandlers) -> None:
    source = (
        "import subprocess, sys\n"
        "ENDED = subprocess.run(['/var/task/pyl/app/ld-linux-x86-64.so.2', '--help'], stdout=-3).returncode\n"
        "assert ENDED == 0, ENDED\n"
        "def handler(event, context): return ENDED\n"
    )
    _, result = captured(source)
    assert result.kind == "base"
    assert "it keeps what a child process did at import (/var/task/pyl/app/site/handlers.py:2)" in result.reasons


def test_numbers_of_pythons_generator_are_not_kept(captured: CaptureHandlers) -> None:
    _, result = captured("import random\nNUMBER = random.random()\ndef handler(event, context): return NUMBER\n")
    assert result.kind == "base"
    assert "handlers.py:1" in result.reasons[0]


def test_numbers_that_are_not_kept_do_no_harm(captured: CaptureHandlers, run: type[Environment]) -> None:
    package, result = captured("import random\nrandom.random()\ndef handler(event, context): return random.random()\n")
    assert (result.kind, result.reasons) == ("full", ())
    answers = []
    for _ in range(2):
        with run(package) as environment:
            answers.append(environment.invoke())
    assert len(set(answers)) == 2
