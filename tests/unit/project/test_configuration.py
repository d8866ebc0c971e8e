"""`[tool.pyl]` is read strictly, with options over variables over the file, and problems at their line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from pyl.project.config.checks import RESERVED_VARIABLES
from pyl.project.config.configuration import read_configuration
from pyl.project.config.keys import Key
from pyl.project.config.model import Configuration
from pyl.project.config.pyproject import Document, find_project, read_document
from pyl.project.config.tables import (
    BENCH_KEYS,
    FUNCTION_DEFAULT_KEYS,
    FUNCTION_OWN_KEYS,
    NATIVE_KEYS,
    PROJECT_KEYS,
    PROJECT_OWN_KEYS,
)
from pyl.project.diagnostics import Code, Diagnostic

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "configuration.md"


def read(
    folder: Path, text: str, environ: Mapping[str, str] | None = None, **overrides: object
) -> tuple[Configuration, list[Diagnostic]]:
    (folder / "pyproject.toml").write_text(dedent(text), "utf-8")
    document = read_document(folder)
    assert isinstance(document, Document), document
    dotted = {name.replace("__", "."): value for name, value in overrides.items()}
    return read_configuration(document, environ=environ or {}, overrides=dotted)


def values(folder: Path, text: str, environ: Mapping[str, str] | None = None, **overrides: object) -> Configuration:
    configuration, problems = read(folder, text, environ, **overrides)
    assert problems == []
    return configuration


def problem(folder: Path, text: str, environ: Mapping[str, str] | None = None, **overrides: object) -> Diagnostic:
    _, (found,) = read(folder, text, environ, **overrides)
    return found


def test_an_empty_table_means_the_defaults(tmp_path: Path) -> None:
    configuration = values(tmp_path, "[tool.pyl]\n")
    assert configuration == Configuration(source=tmp_path)
    assert (configuration.architecture, configuration.target) == ("x86_64", "provided.al2")
    assert (configuration.defaults.memory, configuration.defaults.timeout) == (512, 10)
    assert (configuration.native.image, configuration.region) == ("auto", None)


def test_every_key_arrives(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "a.json").write_text("{}")
    text = """
        [tool.pyl]
        source = "lib"
        include = ["a/**"]
        exclude = ["b"]
        aws_services = ["s3", "iot-data"]
        architecture = "arm64"
        target = "provided.al2023"
        region = "eu-central-1"
        memory = 1024
        timeout = 30
        environment = { STAGE = "test", LEVEL = "1" }
        native.image = "require"
        native.compile = ["pydantic", "a.b"]
        [tool.pyl.functions."send-mail"]
        description = "Sends"
        timeout = 900
        environment.LEVEL = "2"
        handler = "app:main"
        event = "events/a.json"
        warm_up = "events/a.json"
    """
    configuration = values(tmp_path, text)
    assert configuration.source == tmp_path / "lib"
    assert (configuration.include, configuration.exclude) == (("a/**",), ("b",))
    assert configuration.aws_services == ("s3", "iot-data")
    assert (configuration.architecture, configuration.target) == ("arm64", "provided.al2023")
    assert configuration.region == "eu-central-1"
    assert (configuration.native.image, configuration.native.compile) == ("require", ("pydantic", "a.b"))
    send = configuration.functions["send-mail"]
    assert (send.memory, send.timeout, send.description, send.handler) == (1024, 900, "Sends", "app:main")
    assert send.environment == {"STAGE": "test", "LEVEL": "2"}
    assert send.event == send.warm_up == tmp_path / "events" / "a.json"
    assert configuration.defaults.environment == {"STAGE": "test", "LEVEL": "1"}


@pytest.mark.parametrize(("written", "mode"), [("true", "auto"), ("false", "off"), ('"require"', "require")])
def test_the_image_key_takes_three_values(tmp_path: Path, written: str, mode: str) -> None:
    assert values(tmp_path, f"[tool.pyl.native]\nimage = {written}\n").native.image == mode


def test_src_is_the_source_when_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    assert values(tmp_path, "[tool.pyl]").source == tmp_path / "src"
    assert values(tmp_path, "[tool.pyl]\nsource = '.'").source == tmp_path


def test_options_come_before_variables_before_the_file(tmp_path: Path) -> None:
    text = "[tool.pyl]\nmemory = 256\n[tool.pyl.functions.a]\nmemory = 300\n[tool.pyl.functions.b]\n"
    file = values(tmp_path, text)
    variable = values(tmp_path, text, {"PYL_MEMORY": "1024"})
    option = values(tmp_path, text, {"PYL_MEMORY": "1024"}, memory=2048)

    def found(configuration: Configuration) -> list[int]:
        functions = configuration.functions
        return [configuration.defaults.memory, functions["a"].memory, functions["b"].memory]

    assert found(file) == [256, 300, 256]
    assert found(variable) == [1024] * 3
    assert found(option) == [2048] * 3


def test_options_that_were_not_given_and_empty_variables_override_nothing(tmp_path: Path) -> None:
    configuration = values(tmp_path, "[tool.pyl]\nmemory = 256\n", {"PYL_MEMORY": ""}, memory=None)
    assert configuration.defaults.memory == 256


@pytest.mark.parametrize(
    ("text", "mode"),
    [("require", "require"), ("true", "auto"), ("AUTO", "auto"), ("false", "off"), ("off", "off")],
)
def test_the_image_is_chosen_by_variable_and_option(tmp_path: Path, text: str, mode: str) -> None:
    assert values(tmp_path, "[tool.pyl]", {"PYL_IMAGE": text}).native.image == mode
    assert values(tmp_path, "[tool.pyl]", {"PYL_IMAGE": "true"}, native__image=text).native.image == mode


@pytest.mark.parametrize("key", [key for key in (*PROJECT_KEYS, *NATIVE_KEYS) if key.variable])
def test_every_variable_of_the_table_is_read(tmp_path: Path, key: Key) -> None:
    (tmp_path / "src").mkdir()
    assert key.variable is not None
    given = key.example.strip('"')
    plain = values(tmp_path, "[tool.pyl]\nsource = '.'\nregion = 'us-east-1'\n[tool.pyl.native]\nimage = false")
    by_choice = {"arm64": "arm64", "x86_64": "arm64", "provided.al2": "provided.al2023", "512": "600", "10": "20"}
    assert values(tmp_path, "[tool.pyl]", {key.variable: by_choice.get(given, given)}) != plain
    found = problem(tmp_path, "[tool.pyl]", {key.variable: "/no such"})
    assert found.file is None
    assert found.message.startswith(f"variable {key.variable}: ")


def test_a_wrong_variable_or_option_is_told_by_its_name(tmp_path: Path) -> None:
    variable = problem(tmp_path, "[tool.pyl]", {"PYL_MEMORY": "lots"})
    assert (variable.code, variable.file, variable.line) == (Code.VALUE_TYPE, None, None)
    assert variable.message == 'variable PYL_MEMORY: `memory` must be an integer, not "lots"'
    option = problem(tmp_path, "[tool.pyl]", native__image="maybe")
    assert option.message.startswith("option --image: ")


def test_an_override_of_no_key_is_a_mistake_of_the_program(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="memori"):
        read(tmp_path, "[tool.pyl]", memori=1)


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("[tool.pyl]\nmemori = 1", 2, "did you mean `memory`?"),
        ("[tool.pyl]\nMemory = 1", 2, "did you mean `memory`?"),
        ("[tool.pyl]\nfunction.a.memory = 512", 2, "did you mean `functions`?"),
        ("[tool.pyl]\nimage = true", 2, "`image` belongs in [tool.pyl.native]"),
        ("[tool.pyl]\nhandler = 'a:b'", 2, "`handler` belongs in [tool.pyl.functions.<name>]"),
        ("[tool.pyl.functions.a]\nregion = 'x'", 2, "`region` belongs in [tool.pyl]"),
        ("[tool.pyl.functions.a]\nevents = 'x'", 2, "did you mean `event`?"),
        ("[tool.pyl.functions.a.zzz]\nx = 1", 1, "known keys: memory, timeout"),
        ("[[tool.pyl.functions.a.triggers]]\ntype = 'sqs'\nqueue = 'a'\nx = 1", 4, "known keys: queue, batch_size"),
        ("[tool.pyl.functions.a]\nqueue = 'a'", 2, "`queue` belongs in [[tool.pyl.functions.<name>.triggers]]"),
        ("[tool.pyl]\nx.y.z = 1", 2, "known keys: source, include"),
        ("[tool.pyl.functions]\na = { taps = {} }", 2, "did you mean `tags`?"),
    ],
)
def test_an_unknown_key_is_told_with_what_was_probably_meant(tmp_path: Path, text: str, line: int, hint: str) -> None:
    found = problem(tmp_path, text)
    assert (found.code, found.line) == (Code.UNKNOWN_KEY, line)
    assert found.hint.startswith(hint)


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ("memory = 127", Code.VALUE_RANGE),
        ("memory = 10241", Code.VALUE_RANGE),
        ("memory = true", Code.VALUE_TYPE),
        ("memory = 512.0", Code.VALUE_TYPE),
        ("timeout = 0", Code.VALUE_RANGE),
        ("timeout = 901", Code.VALUE_RANGE),
        ("timeout = 1979-05-27", Code.VALUE_TYPE),
        ("architecture = 'amd64'", Code.VALUE_RANGE),
        ("target = 'python3.12'", Code.VALUE_RANGE),
        ("region = 'Frankfurt'", Code.VALUE_RANGE),
        ("region = ''", Code.VALUE_RANGE),
        ("region = 1", Code.VALUE_TYPE),
        ("source = '/src'", Code.VALUE_RANGE),
        ("source = '../other'", Code.SOURCE_FOLDER),
        ("source = 'pyproject.toml'", Code.SOURCE_FOLDER),
        (f"source = '{'x' * 300}'", Code.SOURCE_FOLDER),
        ("include = 'a'", Code.VALUE_TYPE),
        ("include = [1]", Code.VALUE_TYPE),
        ("include = ['']", Code.VALUE_RANGE),
        ("exclude = ['../x']", Code.VALUE_RANGE),
        ("environment = []", Code.VALUE_TYPE),
        ("environment = { PORT = 8080 }", Code.VALUE_TYPE),
        ("environment = { A = 'x' }", Code.VALUE_RANGE),
        ("environment = { 'A-B' = 'x' }", Code.VALUE_RANGE),
        ("environment = { _AB = 'x' }", Code.VALUE_RANGE),
        ("environment = { AWS_REGION = 'x' }", Code.VALUE_RANGE),
        (f"environment = {{ AB = '{'x' * 4095}' }}", Code.VALUE_RANGE),
        ("native = 1", Code.VALUE_TYPE),
        ("native.image = 1", Code.VALUE_TYPE),
        ("native.image = 'auto'", Code.VALUE_TYPE),
        ("native.compile = ['a-b']", Code.VALUE_RANGE),
        ("functions = []", Code.VALUE_TYPE),
        ("functions.a = 1", Code.VALUE_TYPE),
        ("functions.a.handler = 'legacy.app.main'", Code.VALUE_RANGE),
        ("functions.a.handler = ':main'", Code.VALUE_RANGE),
        (f"functions.a.description = '{'x' * 257}'", Code.VALUE_RANGE),
        ("functions.a.event = '/tmp/x.json'", Code.VALUE_RANGE),
        ("functions.a.event = 'no.json'", Code.EVENT_FILE_MISSING),
        ("functions.a.warm_up = 'x\\u0000'", Code.EVENT_FILE_MISSING),
        ("functions.a.warm_up = '.'", Code.EVENT_FILE_MISSING),
    ],
)
def test_a_wrong_value_is_told_at_its_line(tmp_path: Path, entry: str, code: Code) -> None:
    found = problem(tmp_path, f"[tool.pyl]\n# a comment\n{entry}\n")
    assert (found.code, found.file, found.line) == (code, tmp_path / "pyproject.toml", 3)
    assert found.message
    assert found.hint


@pytest.mark.parametrize(
    "entry",
    [
        "memory = 128",
        "timeout = 900",
        f"environment = {{ AB = '{'x' * 4094}' }}",
        f"functions.a.description = '{'x' * 256}'",
        f"environment.AA = '{'x' * 2046}'\nfunctions.a.environment.BB = '{'x' * 2046}'",
        "native.image = 'require'",
    ],
)
def test_values_up_to_the_limits_are_accepted(tmp_path: Path, entry: str) -> None:
    values(tmp_path, f"[tool.pyl]\n{entry}\n")


@pytest.mark.parametrize(
    ("entry", "hint"),
    [("memory = 64", "128"), ("memory = 20000", "10240"), ("timeout = 0", "1"), ("timeout = 901", "900")],
)
def test_the_nearest_possible_integer_is_proposed(tmp_path: Path, entry: str, hint: str) -> None:
    assert problem(tmp_path, f"[tool.pyl]\n{entry}\n").hint == f"the nearest possible value is {hint}"


def test_a_long_value_is_shortened_in_the_message(tmp_path: Path) -> None:
    message = problem(tmp_path, f"[tool.pyl]\nregion = '{'x' * 100}'\n").message
    assert message == f'`region` cannot be "{"x" * 56}...'


def test_a_wrong_element_is_told_at_its_own_line(tmp_path: Path) -> None:
    text = "[tool.pyl]\nexclude = [\n  'a',\n  2,\n]\n[tool.pyl.functions.a.environment]\nOK = 'x'\nNO = 1\n"
    _, found = read(tmp_path, text)
    assert [(diagnostic.line, diagnostic.column) for diagnostic in found] == [(4, 3), (8, 1)]


def test_variables_of_the_project_and_the_function_together_must_fit(tmp_path: Path) -> None:
    half = "x" * 2100
    text = f"[tool.pyl]\nenvironment.AA = '{half}'\n[tool.pyl.functions.a]\nenvironment.BB = '{half}'\n"
    found = problem(tmp_path, text)
    assert (found.code, found.line) == (Code.VALUE_RANGE, 4)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"{'a': 1}", 1),
        (b"", 1),
        (b'{"a":\n 1,}', 2),
        (b'{"a": NaN}', 1),
        (b'\n"\xff"', 2),
        (b"[" * 100_000, 1),
        (b"1\n\n2", 3),
    ],
)
def test_an_event_file_that_is_not_json_is_told_in_that_file(tmp_path: Path, content: bytes, line: int) -> None:
    (tmp_path / "event.json").write_bytes(content)
    found = problem(tmp_path, "[tool.pyl.functions.a]\nevent = 'event.json'\nwarm_up = 'event.json'\n")
    assert (found.code, found.file) == (Code.EVENT_FILE_NOT_JSON, tmp_path / "event.json")
    assert found.line == line


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [("[tool.pyl]\nx = \n", 2, 5), ("[tool.pyl", 1, 1), ("a = 1\na = 2\n", 2, 6), ('x = """', 1, 1)],
)
def test_what_is_no_toml_is_told_at_its_line(tmp_path: Path, text: str, line: int, column: int) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    found = read_document(tmp_path)
    assert isinstance(found, Diagnostic)
    assert (found.code, found.line, found.column) == (Code.INVALID_TOML, line, column)
    assert "(at" not in found.message


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", Code.NO_TOOL_TABLE),
        ("[tool]\n", Code.NO_TOOL_TABLE),
        ("tool = 1\n", Code.NO_TOOL_TABLE),
        ("[tool]\npyl = 1\n", Code.VALUE_TYPE),
        ("[[tool.pyl]]\n", Code.VALUE_TYPE),
    ],
)
def test_a_pyproject_without_the_table_is_told_so(tmp_path: Path, text: str, code: Code) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    found = read_document(tmp_path)
    assert isinstance(found, Diagnostic)
    assert found.code is code


def test_the_project_is_named_by_its_metadata_else_by_its_folder(tmp_path: Path) -> None:
    for text, name in [("[project]\nname = 'x'\n", "x"), ("", tmp_path.name), ("[project]\nname = 1\n", tmp_path.name)]:
        (tmp_path / "pyproject.toml").write_text(f"{text}[tool.pyl]\n")
        document = read_document(tmp_path)
        assert isinstance(document, Document)
        assert document.project_name == name


def test_the_nearest_pyproject_above_is_the_projects(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()
    assert find_project(inner) == tmp_path.resolve()
    (inner.parent / "pyproject.toml").touch()
    assert find_project(inner) == inner.parent.resolve()


def test_the_documentation_names_the_variables_that_lambda_reserves() -> None:
    text = DOCUMENTATION.read_text("utf-8")
    assert set(re.findall(r"`([A-Z_]+)`", text.partition("## Environment variables")[2])) >= RESERVED_VARIABLES


@pytest.mark.parametrize(
    ("table", "key"),
    [
        *(("", key) for key in (*PROJECT_OWN_KEYS, *FUNCTION_DEFAULT_KEYS)),
        *((".native", key) for key in NATIVE_KEYS),
        *((".functions.a", key) for key in (*FUNCTION_DEFAULT_KEYS, *FUNCTION_OWN_KEYS)),
        *((".bench.a", key) for key in BENCH_KEYS),
    ],
)
def test_the_example_of_every_key_is_right(tmp_path: Path, table: str, key: Key) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "order.json").write_text("{}")
    values(tmp_path, f"[tool.pyl{table}]\n{key.name} = {key.example}\n")
