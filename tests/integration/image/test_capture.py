"""An image is taken, restored, and behaves as a plain start."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from integration.image import packages
from integration.image.lambda_environment import Environment
from integration.image.packages import CaptureHandlers
from pyl.image.file.names import IMAGE, MEMORY


def source(text: str) -> str:
    return textwrap.dedent(text)


COUNTING = source(
    """
    import time
    imported_at = time.time()
    calls = 0
    def handler(event, context) -> None:
        global calls
        calls += 1
        return {"imported": imported_at, "calls": calls, "event": event, "name": context.function_name}
    """
)


def test_a_restored_function_has_what_was_imported_at_the_build(
    captured: CaptureHandlers, run: type[Environment]
) -> None:
    package, result = captured(COUNTING)
    assert (result.kind, result.reasons) == ("full", ())
    answers = []
    for _ in range(2):
        with run(package) as environment:
            answers.append(environment.invoke({"n": 1}))
            assert environment.notices == []
    assert answers[0]["imported"] == answers[1]["imported"]
    assert [answer["calls"] for answer in answers] == [1, 1]
    assert answers[0]["event"] == {"n": 1}
    assert answers[0]["name"] == "under-test"


def test_one_restored_process_serves_many_events(captured: CaptureHandlers, run: type[Environment]) -> None:
    package, _ = captured(COUNTING)
    with run(package) as environment:
        assert [environment.invoke(n)["calls"] for n in range(500)] == list(range(1, 501))


def test_objects_that_a_cold_start_uses_lie_together(captured: CaptureHandlers, run: type[Environment]) -> None:
    text = source(
        """
        objects = [{"n": n} for n in range(20_000)]
        used = objects[::100]
        def handler(event, context) -> None:
            return {"sum": sum(one["n"] for one in used), "pages": len({id(one) >> 12 for one in used})}
        """
    )
    package, result = captured(text, warm_up={"handler": {}})
    assert result.kind == "full"
    with run(package) as environment:
        answer = environment.invoke()
    assert answer["sum"] == sum(range(0, 20_000, 100))
    assert answer["pages"] < 40  # of 200 that they would lie on as they were made


def test_memory_that_a_forked_child_gives_back_is_still_its_parents(
    captured: CaptureHandlers, run: type[Environment]
) -> None:
    text = source(
        """
        import mmap, os
        kept = mmap.mmap(-1, 1 << 22, flags=mmap.MAP_PRIVATE)
        kept[:4] = b"kept"
        child = os.fork()
        if child == 0:
            kept.close()
            os._exit(0)
        os.waitpid(child, 0)
        del child
        further = mmap.mmap(-1, 1 << 22, flags=mmap.MAP_PRIVATE)
        def handler(event, context) -> None:
            return bytes(kept[:4]).decode()
        """
    )
    package, result = captured(text)
    assert (result.kind, result.reasons) == ("full", ())
    with run(package) as environment:
        assert environment.invoke() == "kept"


def test_the_handler_variable_chooses_among_the_functions_of_one_image(
    captured: CaptureHandlers, run: type[Environment]
) -> None:
    package, _ = captured("def a(event, context): return 'a'\ndef b(event, context): return 'b'\n", "a", "b")
    for name in ("a", "b"):
        with run(package, name) as environment:
            assert environment.invoke() == name


def test_the_environment_is_that_of_the_restored_process(captured: CaptureHandlers, run: type[Environment]) -> None:
    package, _ = captured(
        source(
            """
            import os, subprocess
            os.environ["WRITTEN_AT_IMPORT"] = "yes"
            def handler(event, context) -> None:
                inherited = subprocess.run(["/usr/bin/env"], capture_output=True, text=True).stdout
                return [dict(os.environ), inherited]
            """
        )
    )
    with run(package, environment={"SEEN": "late"}) as environment:
        found, inherited = environment.invoke()
    assert found["SEEN"] == "late"
    assert found["WRITTEN_AT_IMPORT"] == "yes"
    assert found["AWS_ACCESS_KEY_ID"] == "AKIARESTORED"
    assert not {"PYL_WARM_UP", "PYL_CONFIGURED", "LD_BIND_NOW", "AWS_EC2_METADATA_DISABLED"} & set(found)
    assert "SEEN=late" in inherited.splitlines()
    assert "WRITTEN_AT_IMPORT=yes" in inherited.splitlines()


RANDOM = source(
    """
    import os, random, ssl, tempfile, uuid, secrets
    own = random.Random()
    fixed = random.Random(42)
    context = ssl.create_default_context()
    random.random(), uuid.uuid4(), uuid.uuid1(), tempfile.mktemp(), ssl.RAND_bytes(8), own.random()
    def client_hello() -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            context.wrap_bio(incoming, outgoing, server_hostname="example.com").do_handshake()
        except ssl.SSLWantReadError:
            return outgoing.read().hex()
    def handler(event, context) -> None:
        return {
            "random": random.random(), "own": own.random(), "uuid1": str(uuid.uuid1()), "uuid4": str(uuid.uuid4()),
            "tempfile": tempfile.mktemp(), "ssl": ssl.RAND_bytes(16).hex(), "hello": client_hello(),
            "secrets": secrets.token_hex(), "fixed": fixed.random(),
        }
    """
)


def test_nothing_random_repeats_in_another_instance(captured: CaptureHandlers, run: type[Environment]) -> None:
    package, result = captured(RANDOM)
    assert result.kind == "full"
    answers = []
    for _ in range(20):
        with run(package) as environment:
            answers.append(environment.invoke())
    for name in set(answers[0]) - {"fixed"}:
        assert len({answer[name] for answer in answers}) == len(answers), name
    assert len({answer["fixed"] for answer in answers}) == 1, "a generator that the user seeded goes on"


@pytest.mark.parametrize(
    "expression",
    ["os.urandom(16)", "uuid.uuid4()", "secrets.token_hex()", "ssl.RAND_bytes(16)", "random.SystemRandom().random()"],
)
def test_random_bytes_that_the_import_keeps_are_named(captured: CaptureHandlers, expression: str) -> None:
    _, result = captured(
        f"import os, random, secrets, ssl, uuid\nKEPT = {expression}\ndef handler(event, context): return 1\n"
    )
    assert result.kind == "base"
    assert "random bytes" in result.reasons[0]
    assert result.reasons[0].endswith("handlers.py:2)")


def test_files_of_the_package_that_were_opened_at_import_go_on_where_they_stood(
    captured: CaptureHandlers, run: type[Environment]
) -> None:
    package, result = captured(
        source(
            """
            import pathlib
            here = pathlib.Path(__file__)
            text, data = here.open(), here.open("rb", buffering=0)
            first, start = text.readline(), data.read(7)
            def handler(event, context) -> None:
                return [first, text.readline(), text.read()[-9:], start.decode(), data.read(12).decode(), data.tell()]
            """
        )
    )
    assert (result.kind, result.reasons) == ("full", ())
    with run(package, plain=True) as environment:
        plain = environment.invoke()
    for _ in range(2):
        with run(package) as environment:
            assert environment.invoke() == plain
            assert environment.notices == []


def test_extension_modules_are_imported_late(captured: CaptureHandlers, run: type[Environment]) -> None:
    package, _ = captured(
        source(
            """
            def handler(event, context) -> None:
                import _decimal, _ctypes, ctypes, sqlite3, zoneinfo, lzma, hashlib
                return [str(_decimal.Decimal(1) / 3), sqlite3.connect(":memory:").execute("select 42").fetchone()[0],
                        hashlib.sha256(b"x").hexdigest(), ctypes.c_int(5).value, len(lzma.compress(b"x" * 1000))]
            """
        )
    )
    with run(package) as environment, run(package, plain=True) as other:
        assert environment.invoke() == other.invoke()


def test_a_module_that_holds_the_c_library_is_looked_at_and_not_called(
    captured: CaptureHandlers, run: type[Environment]
) -> None:
    package, result = captured(
        source(
            """
            import ctypes
            libc = ctypes.CDLL(None)  # has all of its functions for attributes: fileno and close, too
            def handler(event, context): return libc.abs(event)
            """
        )
    )
    assert (result.kind, result.reasons) == ("full", ())
    with run(package) as environment:
        assert environment.invoke(-3) == 3


def test_sigterm_ends_a_restored_process_and_handlers_set_at_import_are_kept(
    captured: CaptureHandlers, run: type[Environment]
) -> None:
    package, _ = captured(
        source(
            """
            import os, signal, sys
            def on_term(*_) -> None:
                print("leaving", flush=True)
                os._exit(3)
            signal.signal(signal.SIGTERM, on_term)
            def handler(event, context): return 1
            """
        )
    )
    with run(package) as environment:
        environment.invoke()
        environment.signal(signal.SIGTERM)
        assert environment.process.wait(10) == 3
        assert "leaving" in environment.log


def test_a_warm_up_call_fills_the_caches_and_leaves_no_credentials(
    captured: CaptureHandlers, run: type[Environment]
) -> None:
    package, result = captured(
        source(
            """
            import functools, os, time
            @functools.cache
            def costly(): return os.stat("/var/task").st_mtime, time.time()
            def handler(event, context): return [costly(), os.environ.get("AWS_ACCESS_KEY_ID")]
            """
        ),
        warm_up={"handler": {}},
    )
    assert (result.kind, result.reasons) == ("full", ())
    # Reading credentials oneself in a warmed-up call is guarded: those of the warm-up must not stay.
    assert "AWS_ACCESS_KEY_ID" in {guard.name for guard in result.guards}
    answers = []
    for _ in range(2):
        with run(package) as environment:
            answers.append(environment.invoke())
    assert answers[0] == answers[1], "cached at the build"
    assert answers[0][1] == "AKIARESTORED"
    assert b"ASIACAPTURE" not in (package / IMAGE).read_bytes() + (package / MEMORY).read_bytes()


def test_warm_up_calls_leave_specialised_bytecode(captured: CaptureHandlers, run: type[Environment]) -> None:
    package, _ = captured(
        source(
            """
            import dis
            calls = []
            def total(numbers) -> None:
                found = 0
                for number in numbers:
                    found = found + number
                return found
            def handler(event, context) -> None:
                known = [one.opname for one in dis.get_instructions(total, adaptive=True)]
                calls.append(event["n"])
                return [len(calls), total(calls), "BINARY_OP_ADD_INT" in known]
            """
        ),
        warm_up={"handler": {"n": 1}},
    )
    with run(package) as environment:
        assert environment.invoke({"n": 5}) == [13, 12 + 5, True]


def test_objects_are_stored_as_the_calls_left_them(captured: CaptureHandlers, run: type[Environment]) -> None:
    """CPython keeps attributes in the object until someone asks for its dict; specialised bytecode counts on that."""
    package, _ = captured(
        source(
            """
            import gc
            class Client:
                def __init__(self, inner): self.inner = inner
            client = Client(Client(None))
            def handler(event, context) -> None:
                return [isinstance(one, dict) for each in (client, client.inner) for one in gc.get_referents(each)]
            """
        ),
        warm_up={"handler": {}},
    )
    with run(package) as environment:
        assert True not in environment.invoke()


def test_hooks_run_before_the_image_and_after_each_restore(captured: CaptureHandlers, run: type[Environment]) -> None:
    package, _ = captured(
        source(
            """
            from pyl import after_restore, before_image
            seen = []
            @before_image
            def close(): seen.append("before")
            @after_restore
            def reopen(): seen.append("after")
            def handler(event, context): return seen
            """
        )
    )
    with run(package) as environment:
        assert environment.invoke() == ["before", "after"]


def test_without_privileges_a_user_namespace_serves(base: Path, tmp_path: Path, run: type[Environment]) -> None:
    package = packages.with_functions(
        base, tmp_path / "package", {"handlers.py": COUNTING}, {"handler": "handlers:handler"}
    )
    script = (
        "import sys; from pathlib import Path; from pyl.image.create import capture\n"
        "result = capture(Path(sys.argv[1]), environment={'AWS_REGION': 'us-east-1'})\n"
        "print(result.kind, result.reasons)"
    )
    command = [sys.executable, "-c", script, str(package)]
    if os.geteuid() == 0:
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            pytest.skip("setpriv (util-linux) is not here to take root's capabilities away")
        # Another user, who may read everybody's files: this Python may stand below a closed folder.
        user = ["--reuid=65534", "--regid=65534", "--clear-groups"]
        capabilities = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--bounding-set=-all,+dac_override"]
        command = [setpriv, *user, *capabilities, *command]
        for folder in (tmp_path, *tmp_path.parents[:3]):
            folder.chmod(0o755)
        for folder in (package / "pyl", tmp_path):
            os.chown(folder, 65534, 65534)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.stdout.strip() == "full ()", done.stdout + done.stderr
    with run(package) as started:
        assert started.invoke()["calls"] == 1


def test_an_error_is_reported_and_the_next_event_served(captured: CaptureHandlers, run: type[Environment]) -> None:
    package, _ = captured("def handler(event, context):\n    return 10 // event\n")
    with run(package) as environment:
        assert environment.invoke(5) == 2
        error = environment.invoke(0)
        assert error["errorType"] == "ZeroDivisionError"
        assert error["stackTrace"]
        assert environment.invoke(2) == 5


def test_without_an_image_the_loop_in_c_serves(captured: CaptureHandlers, run: type[Environment]) -> None:
    source = (
        "import sys\ndef handler(event, context):\n    return ['pyl.runtime.loop.native_loop' in sys.modules, event]\n"
    )
    package, result = captured(source, mode="off")
    assert result.kind == "none"
    with run(package) as environment:
        assert environment.invoke(1) == [True, 1]
        assert environment.invoke(2) == [True, 2]
        assert environment.log == ""
