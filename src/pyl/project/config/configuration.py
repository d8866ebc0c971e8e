"""Read `[tool.pyl]` strictly into frozen data: options over `PYL_*` variables over the file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyl.project.config.bench_variants import read_variants
from pyl.project.config.checks import VARIABLES_LIMIT, Problem, find_problem, variables_size
from pyl.project.config.conversion import build
from pyl.project.config.deployment import DeploymentConfiguration, find_conflicts
from pyl.project.config.event_files import find_event_file_problem
from pyl.project.config.keys import Key
from pyl.project.config.model import BenchVariant, Configuration, FunctionConfiguration, NativeConfiguration
from pyl.project.config.pyproject import TABLE, Document, find_nearest
from pyl.project.config.region import default_region
from pyl.project.config.tables import (
    FUNCTION_KEYS,
    INHERITED_KEYS,
    NATIVE_KEYS,
    PROJECT_KEYS,
    find_home,
    is_trigger_key,
)
from pyl.project.config.toml_positions import KeyPath
from pyl.project.config.trigger_reading import read_triggers
from pyl.project.config.triggers import Trigger
from pyl.project.diagnostics import Code, Diagnostic
from pyl.project.source_files import is_folder

_INNER_TABLES = ("native", "functions", "bench")
_FUNCTION_TABLES = ("triggers",)
_INHERITED = tuple(key.name for key in INHERITED_KEYS)


def read_configuration(
    document: Document, *, environ: Mapping[str, str], overrides: Mapping[str, object]
) -> tuple[Configuration, list[Diagnostic]]:
    """Return the configuration, and everything that is wrong with it.

    Variables and options hold for every function, whatever the file has for it. A value that is wrong is replaced by
    its default.

    Args:
        document: The `pyproject.toml`.
        environ: Environment variables, of which those of keys are read.
        overrides: Options of the command line by their dotted key (`memory`, `native.image`). `None` is an option that
            was not given.

    Raises:
        ValueError: An override does not name a key.
    """
    reader = _Reader(document, environ, overrides)
    configuration = reader.configuration()
    return configuration, reader.diagnostics


@dataclass
class _Reader:
    document: Document
    environ: Mapping[str, str]
    overrides: Mapping[str, object]
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def __post_init__(self) -> None:
        known = {key.name for key in PROJECT_KEYS} | {f"native.{key.name}" for key in NATIVE_KEYS}
        if unknown := set(self.overrides) - known:
            msg = f"no such keys to override: {', '.join(sorted(unknown))}"
            raise ValueError(msg)

    @property
    def root(self) -> Path:
        return self.document.file.parent

    def configuration(self) -> Configuration:
        overriding = self._overriding_values(PROJECT_KEYS, "")
        values = self._valid_values(TABLE, self.document.table, PROJECT_KEYS, _INNER_TABLES) | overriding
        self._check_conflicts(TABLE, values, values)
        native = self._valid_values((*TABLE, "native"), self._inner_table("native"), NATIVE_KEYS)
        native |= self._overriding_values(NATIVE_KEYS, "native.")
        return build(
            Configuration,
            values,
            self.root,
            source=self._source(values),
            region=values.get("region") or default_region(self.environ),
            native=build(NativeConfiguration, native, self.root),
            defaults=self._function_configuration(values),
            functions=self._functions(values, overriding),
            bench=self._bench_variants(),
        )

    def _bench_variants(self) -> tuple[BenchVariant, ...]:
        variants, problems = read_variants(self.document, self._inner_table("bench"), self._valid_values)
        self.diagnostics += problems
        return variants

    def _functions(self, project: Mapping[str, Any], overriding: Mapping[str, Any]) -> dict[str, FunctionConfiguration]:
        functions = {}
        inherited = {name: project[name] for name in _INHERITED if name in project}
        overriding = {name: overriding[name] for name in (*_INHERITED, "architecture") if name in overriding}
        for name, table in self._inner_table("functions").items():
            path = (*TABLE, "functions", name)
            if not isinstance(table, dict):
                hint = f"write [tool.pyl.functions.{name}]"
                self._report(path, Code.VALUE_TYPE, f"`functions.{name}` must be a table", hint)
                continue
            own = self._valid_values(path, table, FUNCTION_KEYS, _FUNCTION_TABLES)
            values = inherited | own | overriding
            self._check_conflicts(path, own, values)
            values["tags"] = project.get("tags", {}) | own.get("tags", {})
            values["environment"] = self._environment(path, project, own)
            functions[name] = self._function_configuration(values, self._triggers(path, table))
            self._check_event_files(path, functions[name])
        return functions

    def _function_configuration(
        self, values: Mapping[str, Any], triggers: tuple[Trigger, ...] = ()
    ) -> FunctionConfiguration:
        deployment = build(DeploymentConfiguration, values, self.root)
        return build(FunctionConfiguration, values, self.root, deployment=deployment, triggers=triggers)

    def _triggers(self, path: KeyPath, table: Mapping[str, Any]) -> tuple[Trigger, ...]:
        tables = table.get("triggers", [])
        triggers, problems = read_triggers(self.document, (*path, "triggers"), tables, self._valid_values)
        self.diagnostics += problems
        return triggers

    def _environment(self, path: KeyPath, project: Mapping[str, Any], own: Mapping[str, Any]) -> Mapping[str, str]:
        environment: dict[str, str] = project.get("environment", {}) | own.get("environment", {})
        size = variables_size(environment)
        if size > VARIABLES_LIMIT:
            message = f"with the project's, the variables take {size:,} bytes; Lambda accepts up to {VARIABLES_LIMIT:,}"
            hint = "keep large values in Parameter Store, S3 or a file"
            self._report((*path, "environment"), Code.VALUE_RANGE, message, hint)
        return environment

    def _check_conflicts(self, path: KeyPath, own: Mapping[str, Any], effective: Mapping[str, Any]) -> None:
        for conflict in find_conflicts(own, effective):
            self._report((*path, conflict.key), Code.VALUE_RANGE, conflict.message, conflict.hint)

    def _check_event_files(self, path: KeyPath, configuration: FunctionConfiguration) -> None:
        by_file: dict[Path, str] = {}
        for key, file in {"event": configuration.event, "warm_up": configuration.warm_up}.items():
            if file is not None:
                by_file.setdefault(file, key)
        for file, key in by_file.items():
            problem = find_event_file_problem(file)
            if isinstance(problem, Diagnostic):
                self.diagnostics.append(problem)
            elif problem is not None:
                self._report((*path, key), problem.code, problem.message, problem.hint)

    def _source(self, values: Mapping[str, Any]) -> Path:
        default = "src" if is_folder(self.root / "src") else "."
        name: str = values.get("source", default)
        source = Path(os.path.normpath(self.root / name))
        if not source.is_relative_to(self.root):
            message = f'`source` is "{name}", which is outside of the project'
            self._report((*TABLE, "source"), Code.SOURCE_FOLDER, message, "name a folder inside of it")
        elif not is_folder(source):
            message = f'`source` is "{name}", and there is no such folder'
            hint = "name the folder that holds the modules, relative to pyproject.toml"
            self._report((*TABLE, "source"), Code.SOURCE_FOLDER, message, hint)
        else:
            return source
        return self.root / default

    def _inner_table(self, name: str) -> Mapping[str, Any]:
        table = self.document.table.get(name, {})
        if isinstance(table, dict):
            return table
        self._report((*TABLE, name), Code.VALUE_TYPE, f"`{name}` must be a table", f"write [tool.pyl.{name}]")
        return {}

    def _valid_values(
        self, path: KeyPath, table: Mapping[str, Any], keys: Sequence[Key], tables: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Return the valid values of a table, and report the others and unknown keys.

        Args:
            path: The table's place in the document.
            table: Its content.
            keys: The keys that it may have.
            tables: Names of inner tables, which are read elsewhere.
        """
        by_name = {key.name: key for key in keys}
        values = {}
        for name, value in table.items():
            if name in tables:
                continue
            if name not in by_name:
                self._report_unknown_key(path, name, [*by_name, *tables])
                continue
            problem = find_problem(by_name[name], value)
            if problem is None:
                values[name] = value
            else:
                inner = () if problem.inner is None else (problem.inner,)
                self._report((*path, name, *inner), problem.code, problem.message, problem.hint)
        return values

    def _report_unknown_key(self, path: KeyPath, name: str, known: Sequence[str]) -> None:
        if home := find_home(name):
            hint = f"`{name}` belongs in {home}"
        elif similar := find_nearest(name, known):
            hint = f"did you mean `{similar}`?"
        elif is_trigger_key(name):
            hint = f"`{name}` belongs in [[tool.pyl.functions.<name>.triggers]]"
        else:
            hint = f"known keys: {', '.join(known)}"
        place = f"[{'.'.join(str(part) for part in path)}]"
        if isinstance(path[-1], int):
            place = f"[[{'.'.join(str(part) for part in path[:-1])}]]"
        self._report((*path, name), Code.UNKNOWN_KEY, f"unknown key `{name}` in {place}", hint)

    def _overriding_values(self, keys: Sequence[Key], prefix: str) -> dict[str, Any]:
        """Return the valid values of options and variables, by the key's own name, and report the others."""
        values: dict[str, Any] = {}
        for key, origin, value in self._outside_values(keys, prefix):
            problem = find_problem(key, value)
            if problem is None:
                values[key.name] = value
            else:
                self._report_outside_value(origin, key, problem)
        return values

    def _outside_values(self, keys: Sequence[Key], prefix: str) -> Iterator[tuple[Key, str, object]]:
        """Yield each key that an option or a variable sets, the name of either, and the value."""
        for key in keys:
            option = self.overrides.get(f"{prefix}{key.name}")
            text = self.environ.get(key.variable) if key.variable else None
            if option is not None:
                value = key.parse(option) if isinstance(option, str) else option
                yield key, f"option --{key.name.replace('_', '-')}", list(value) if isinstance(value, tuple) else value
            elif text:
                yield key, f"variable {key.variable}", key.parse(text)

    def _report_outside_value(self, origin: str, key: Key, problem: Problem) -> None:
        example = key.example.replace('"', "")
        message = f"{origin}: {problem.message}"
        self.diagnostics.append(Diagnostic(code=problem.code, message=message, hint=f"a valid value is {example}"))

    def _report(self, path: KeyPath, code: Code, message: str, hint: str) -> None:
        self.diagnostics.append(self.document.diagnostic(path, code, message, hint))
