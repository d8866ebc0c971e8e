"""`[tool.pyl]`, read strictly into frozen data: options over `PYL_*` variables over the file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyl.architecture import Architecture
from pyl.project.config import deployment_keys
from pyl.project.config.bench_variants import BENCH_KEYS, read_variants
from pyl.project.config.deployment import deployment_configuration, key_conflicts
from pyl.project.config.event_files import event_file_problem
from pyl.project.config.keys import (
    FUNCTION_KEYS,
    NATIVE_KEYS,
    PROJECT_KEYS,
    VARIABLES_LIMIT,
    Key,
    Problem,
    variables_size,
)
from pyl.project.config.pyproject import TABLE, Document, nearest
from pyl.project.config.region import default_region
from pyl.project.config.toml_positions import KeyPath
from pyl.project.config.trigger_keys import TRIGGER_KEYS
from pyl.project.config.trigger_reading import read_triggers
from pyl.project.diagnostics import Code, Diagnostic
from pyl.project.model import BenchVariant, Configuration, FunctionConfiguration, ImageMode, NativeConfiguration
from pyl.project.source_files import is_folder
from pyl.project.triggers import Trigger

_PROJECT_KEYS = (*PROJECT_KEYS, *deployment_keys.PROJECT_DEPLOYMENT_KEYS, *deployment_keys.SHARED_KEYS)
_FUNCTION_KEYS = (*FUNCTION_KEYS, *deployment_keys.SHARED_KEYS, *deployment_keys.FUNCTION_DEPLOYMENT_KEYS)
_INHERITED = ("memory", "timeout", *(key.name for key in deployment_keys.SHARED_KEYS))
"""What a function has from the project unless its own table says otherwise."""

_INNER_TABLES = ("native", "functions", "bench")
_FUNCTION_TABLES = ("triggers",)
_TRIGGERS_OWN = frozenset({key.name for keys in TRIGGER_KEYS.values() for key in keys})
_IMAGE_MODES: Mapping[object, ImageMode] = {True: "auto", False: "off", "require": "require"}


def read_configuration(
    document: Document, *, environ: Mapping[str, str], overrides: Mapping[str, object]
) -> tuple[Configuration, list[Diagnostic]]:
    """The configuration, and what is wrong with it; where something is, the default stands in.

    `overrides` are command line options by their dotted key (`memory`, `native.image`); `None` is an option
    not given. They and `PYL_*` variables hold for every function, whatever the file says of it.
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
        known = {key.name for key in _PROJECT_KEYS} | {f"native.{key.name}" for key in NATIVE_KEYS}
        if unknown := set(self.overrides) - known:
            msg = f"no such keys to override: {', '.join(sorted(unknown))}"
            raise ValueError(msg)

    @property
    def root(self) -> Path:
        return self.document.file.parent

    def configuration(self) -> Configuration:
        outer = self._outer(_PROJECT_KEYS, "")
        values = self._checked(TABLE, self.document.table, _PROJECT_KEYS, _INNER_TABLES) | outer
        self._check_conflicts(TABLE, values, values)
        native = self._checked((*TABLE, "native"), self._inner("native"), NATIVE_KEYS)
        native |= self._outer(NATIVE_KEYS, "native.")
        defaults = _function_configuration(self.root, values)
        return Configuration(
            source=self._source(values),
            include=tuple(values.get("include", ())),
            exclude=tuple(values.get("exclude", ())),
            aws_services=tuple(values["aws_services"]) if "aws_services" in values else None,
            architecture=Architecture(values.get("architecture", Configuration.architecture)),
            target=values.get("target", Configuration.target),
            region=values.get("region") or default_region(self.environ),
            prefix=values.get("prefix", ""),
            bucket=values.get("bucket"),
            native=NativeConfiguration(
                image=_IMAGE_MODES[native.get("image", True)],
                compile=tuple(native.get("compile", ())),
                builder=native.get("builder", NativeConfiguration.builder),
                base_image=native.get("base_image"),
                base_python=native.get("base_python"),
            ),
            defaults=defaults,
            functions=self._functions(values, outer),
            bench=self._bench(),
        )

    def _bench(self) -> tuple[BenchVariant, ...]:
        found = list(read_variants(self.document, self._inner("bench"), self._checked))
        self.diagnostics += [item for item in found if isinstance(item, Diagnostic)]
        return tuple(item for item in found if isinstance(item, BenchVariant))

    def _functions(self, project: Mapping[str, Any], outer: Mapping[str, Any]) -> dict[str, FunctionConfiguration]:
        functions = {}
        inherited = {name: project[name] for name in _INHERITED if name in project}
        overriding = {name: outer[name] for name in (*_INHERITED, "architecture") if name in outer}
        for name, table in self._inner("functions").items():
            path = (*TABLE, "functions", name)
            if not isinstance(table, dict):
                hint = f"write [tool.pyl.functions.{name}]"
                self._report(path, Code.VALUE_TYPE, f"`functions.{name}` must be a table", hint)
                continue
            own = self._checked(path, table, _FUNCTION_KEYS, _FUNCTION_TABLES)
            values = inherited | own | overriding
            self._check_conflicts(path, own, values)
            values["tags"] = project.get("tags", {}) | own.get("tags", {})
            values["environment"] = self._environment(path, project, own)
            functions[name] = _function_configuration(self.root, values, self._triggers(path, table))
            self._check_event_files(path, functions[name])
        return functions

    def _triggers(self, path: KeyPath, table: Mapping[str, Any]) -> tuple[Trigger, ...]:
        triggers, problems = read_triggers(self.document, (*path, "triggers"), table.get("triggers", []), self._checked)
        self.diagnostics += problems
        return triggers

    def _environment(self, path: KeyPath, project: Mapping[str, Any], own: Mapping[str, Any]) -> Mapping[str, str]:
        environment: dict[str, str] = project.get("environment", {}) | own.get("environment", {})
        size = variables_size(environment)
        if size > VARIABLES_LIMIT:
            message = f"with the project's, the variables take {size:,} bytes; Lambda takes {VARIABLES_LIMIT:,}"
            hint = "keep large values in Parameter Store, S3 or a file"
            self._report((*path, "environment"), Code.VALUE_RANGE, message, hint)
        return environment

    def _check_conflicts(self, path: KeyPath, own: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        for conflict in key_conflicts(own, values):
            self._report((*path, conflict.key), Code.VALUE_RANGE, conflict.message, conflict.hint)

    def _check_event_files(self, path: KeyPath, configuration: FunctionConfiguration) -> None:
        files = {"event": configuration.event, "warm_up": configuration.warm_up}
        seen = set()
        for key, file in files.items():
            if file is None or file in seen:
                continue
            seen.add(file)
            problem = event_file_problem(file)
            if isinstance(problem, Diagnostic):
                self.diagnostics.append(problem)
            elif problem is not None:
                self._report((*path, key), problem.code, problem.message, problem.hint)

    def _source(self, values: Mapping[str, Any]) -> Path:
        default = "src" if is_folder(self.root / "src") else "."
        named: str = values.get("source", default)
        source = Path(os.path.normpath(self.root / named))
        if not source.is_relative_to(self.root):
            message = f'`source` is "{named}", which is outside of the project'
            self._report((*TABLE, "source"), Code.SOURCE_FOLDER, message, "name a folder inside of it")
        elif not is_folder(source):
            message = f'`source` is "{named}", and there is no such folder'
            hint = "name the folder that holds the modules, relative to pyproject.toml"
            self._report((*TABLE, "source"), Code.SOURCE_FOLDER, message, hint)
        else:
            return source
        return self.root / default

    def _inner(self, name: str) -> Mapping[str, Any]:
        table = self.document.table.get(name, {})
        if isinstance(table, dict):
            return table
        self._report((*TABLE, name), Code.VALUE_TYPE, f"`{name}` must be a table", f"write [tool.pyl.{name}]")
        return {}

    def _checked(
        self, path: KeyPath, table: Mapping[str, Any], keys: Sequence[Key], tables: Sequence[str] = ()
    ) -> dict[str, Any]:
        """The values of a table that are right; the others, and keys that do not exist, are reported."""
        by_name = {key.name: key for key in keys}
        values = {}
        for name, value in table.items():
            if name in tables:
                continue
            if name not in by_name:
                self._report_unknown_key(path, name, [*by_name, *tables])
                continue
            problem = by_name[name].problem(value)
            if problem is None:
                values[name] = value
            else:
                inner = () if problem.inner is None else (problem.inner,)
                self._report((*path, name, *inner), problem.code, problem.message, problem.hint)
        return values

    def _report_unknown_key(self, path: KeyPath, name: str, known: Sequence[str]) -> None:
        meant = nearest(name, known)
        home = _home_of(name)
        if home is not None:
            hint = f"`{name}` belongs into {home}"
        elif meant is not None:
            hint = f"did you mean `{meant}`?"
        elif name in _TRIGGERS_OWN:
            hint = f"`{name}` belongs into [[tool.pyl.functions.<name>.triggers]]"
        else:
            hint = f"known keys: {', '.join(known)}"
        where = f"[{'.'.join(str(part) for part in path)}]"
        if isinstance(path[-1], int):
            where = f"[[{'.'.join(str(part) for part in path[:-1])}]]"
        self._report((*path, name), Code.UNKNOWN_KEY, f"unknown key `{name}` in {where}", hint)

    def _outer(self, keys: Sequence[Key], prefix: str) -> dict[str, Any]:
        """Values of options and variables, by the key's own name."""
        values: dict[str, Any] = {}
        for key in keys:
            option = self.overrides.get(f"{prefix}{key.name}")
            text = self.environ.get(key.variable) if key.variable else None
            if option is not None:
                origin, raw = f"option --{key.name.replace('_', '-')}", option
            elif text:
                origin, raw = f"variable {key.variable}", text
            else:
                continue
            value = key.parse(raw) if isinstance(raw, str) else raw
            value = list(value) if isinstance(value, tuple) else value
            problem = key.problem(value)
            if problem is None:
                values[key.name] = value
            else:
                self._report_outer(origin, key, problem)
        return values

    def _report_outer(self, origin: str, key: Key, problem: Problem) -> None:
        example = key.example.replace('"', "")
        self.diagnostics.append(
            Diagnostic(
                code=problem.code,
                message=f"{origin}: {problem.message}",
                hint=f"a right value is {example}",
            )
        )

    def _report(self, path: KeyPath, code: Code, message: str, hint: str) -> None:
        self.diagnostics.append(self.document.diagnostic(path, code, message, hint))


def _home_of(name: str) -> str | None:
    """The table of a key that was written into another one; none if several have it, or none."""
    homes = {
        "[tool.pyl]": _PROJECT_KEYS,
        "[tool.pyl.native]": NATIVE_KEYS,
        "[tool.pyl.functions.<name>]": _FUNCTION_KEYS,
        "[tool.pyl.bench.<name>]": BENCH_KEYS,
    }
    found = [table for table, keys in homes.items() if name in {key.name for key in keys}]
    return found[0] if len(found) == 1 else None


def _function_configuration(
    root: Path, values: Mapping[str, Any], triggers: tuple[Trigger, ...] = ()
) -> FunctionConfiguration:
    event, warm_up = values.get("event"), values.get("warm_up")
    return FunctionConfiguration(
        description=values.get("description"),
        memory=values.get("memory", FunctionConfiguration.memory),
        timeout=values.get("timeout", FunctionConfiguration.timeout),
        environment=values.get("environment", {}),
        handler=values.get("handler"),
        event=root / event if event else None,
        warm_up=root / warm_up if warm_up else None,
        deployment=deployment_configuration(values),
        triggers=triggers,
    )
