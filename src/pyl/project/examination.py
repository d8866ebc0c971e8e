"""Examine a project as a whole: configuration, files, functions, names. Return a `Project` if nothing is wrong."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pyl.project.analysis.adoption import Adopted, adopt_handler
from pyl.project.analysis.discovery import Candidate, find_decorated
from pyl.project.analysis.modules import Module, Modules, module_name, parse_module
from pyl.project.analysis.names import find_function_name_problem, find_module_name_problem, find_shadowing_modules
from pyl.project.config.configuration import read_configuration
from pyl.project.config.model import Configuration
from pyl.project.config.pyproject import TABLE, Document, find_nearest, find_project, read_document
from pyl.project.diagnostics import Code, Diagnostic, InvalidProject, sort_diagnostics
from pyl.project.model import Function, Project
from pyl.project.source_files import list_source_files
from pyl.project.trigger_rules import find_trigger_problems


@dataclass(frozen=True)
class Examination:
    """The result of an examination."""

    root: Path
    project: Project | None
    """`None` when there are diagnostics."""
    diagnostics: tuple[Diagnostic, ...]
    names: tuple[str, ...] = ()
    """Names of the functions that could be read, whatever else is wrong."""


def examine(
    directory: Path, *, environ: Mapping[str, str], overrides: Mapping[str, object] | None = None
) -> Examination:
    """Read a project without importing any of it.

    Args:
        directory: The folder of `pyproject.toml`. `Path()`: the current folder, or the nearest one above with the file.
        environ: Environment variables.
        overrides: Options of the command line by their dotted key, see `read_configuration`.
    """
    root = find_project(directory) if directory == Path() else directory.resolve()
    document = read_document(root)
    if isinstance(document, Diagnostic):
        return Examination(root, None, (document,))
    configuration, problems = read_configuration(document, environ=environ, overrides=overrides or {})
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # about invalid escapes in the user's code; Python reports them when it compiles
        examiner = _Examiner(document, configuration, problems)
        project = examiner.project()
    diagnostics = tuple(sort_diagnostics(examiner.diagnostics))
    names = tuple(function.name for function in project.functions)
    return Examination(root, None if diagnostics else project, diagnostics, names)


def load_project(
    directory: Path, *, environ: Mapping[str, str], overrides: Mapping[str, object] | None = None
) -> Project:
    """Read a project as `examine` does.

    Raises:
        InvalidProject: Something is wrong with the project.
    """
    examination = examine(directory, environ=environ, overrides=overrides)
    if examination.project is None:
        raise InvalidProject(examination.root, examination.diagnostics)
    return examination.project


@dataclass
class _Examiner:
    document: Document
    configuration: Configuration
    diagnostics: list[Diagnostic]
    broken: set[str] = field(default_factory=set)
    """Names of modules with syntax errors: what they define is unknown."""

    def project(self) -> Project:
        root, source = self.document.file.parent, self.configuration.source
        files = list_source_files(
            root,
            source,
            exclude=self.configuration.exclude,
            include=self.configuration.include,
            left_out=frozenset(_event_files(self.configuration)),
        )
        python_files = [file for file in files if file.suffix == ".py"]
        self.diagnostics += find_shadowing_modules(python_files, source)
        modules = self._parsed(python_files)
        candidates = self._decorated(modules)
        adopted = self._adopted(modules)
        functions = self._functions(candidates, adopted)
        self._check_configured_names({candidate.name for candidate in candidates})
        self.diagnostics += find_trigger_problems(self.document, list(functions.values()))
        if not functions and not self.diagnostics:
            self._report_no_functions()
        return Project(
            root=root,
            name=self.document.project_name,
            configuration=self.configuration,
            functions=tuple(functions[name] for name in sorted(functions)),
            files=tuple(files),
        )

    def _parsed(self, files: list[Path]) -> Modules:
        modules = []
        for file in files:
            module = _without_recursion_error(file, self.configuration.source)
            if isinstance(module, Diagnostic):
                self.broken.add(module_name(file, self.configuration.source))
                self.diagnostics.append(module)
            else:
                modules.append(module)
        return Modules(modules)

    def _decorated(self, modules: Modules) -> list[Candidate]:
        decorated = []
        for module in modules.values():
            try:
                candidates, problems = find_decorated(module, modules)
            except RecursionError:
                self.diagnostics.append(_too_deep(module.file))
                continue
            self.diagnostics += problems
            decorated += candidates
            misnamed = find_module_name_problem(module.file, self.configuration.source) if candidates else None
            if misnamed is not None:
                self.diagnostics.append(misnamed)
        return decorated

    def _adopted(self, modules: Modules) -> list[Adopted]:
        handlers = []
        for name, configuration in self.configuration.functions.items():
            if configuration.handler is None:
                continue
            try:
                adopted, problems = adopt_handler(self.document, name, configuration.handler, modules, self.broken)
            except RecursionError:
                self.diagnostics.append(_too_deep(self.document.file))
                continue
            self.diagnostics += problems
            handlers += [adopted] if adopted else []
        return handlers

    def _functions(self, candidates: list[Candidate], adopted: list[Adopted]) -> dict[str, Function]:
        functions: dict[str, Function] = {}
        for candidate in candidates:
            if candidate.name is None:
                continue
            self._check_name(candidate, candidate.name, functions)
            functions.setdefault(candidate.name, self._function(candidate, candidate.name))
        for handler in adopted:
            self._check_adopted_name(handler, functions)
            functions.setdefault(handler.name, self._adopted_function(handler))
        return functions

    def _check_name(self, candidate: Candidate, name: str, functions: Mapping[str, Function]) -> None:
        problem = find_function_name_problem(name)
        if problem is not None:
            self.diagnostics.append(candidate.at_name(Code.FUNCTION_NAME, problem.message, problem.hint))
        elif name in functions:
            message, hint = self._duplicate(functions[name])
            self.diagnostics.append(candidate.at_name(Code.DUPLICATE_FUNCTION, message, hint))

    def _check_adopted_name(self, handler: Adopted, functions: Mapping[str, Function]) -> None:
        path = (*TABLE, "functions", handler.name)
        problem = find_function_name_problem(handler.name)
        if problem is not None:
            hint = "names are 1 to 64 letters (A to Z), digits, hyphens and underscores"
            self.diagnostics.append(self.document.diagnostic(path, Code.FUNCTION_NAME, problem.message, hint))
        elif handler.name in functions:
            message, _ = self._duplicate(functions[handler.name])
            hint = "remove `handler`: the table configures the decorated function"
            diagnostic = self.document.diagnostic((*path, "handler"), Code.DUPLICATE_FUNCTION, message, hint)
            self.diagnostics.append(diagnostic)

    def _duplicate(self, first: Function) -> tuple[str, str]:
        place = first.file.relative_to(self.document.file.parent).as_posix()
        message = f'there is already a function "{first.name}", at {place}:{first.line}'
        return message, 'rename one of the two: @function(name="...")'

    def _check_configured_names(self, decorated: set[str | None]) -> None:
        """Report tables of functions that do not exist. After a syntax error, they might exist."""
        if self.broken or None in decorated:
            return
        known = sorted(name for name in decorated if name)
        for name, configuration in self.configuration.functions.items():
            if name in known or configuration.handler is not None or self._has_wrong_handler(name):
                continue
            similar = find_nearest(name, [other for other in known if find_function_name_problem(other) is None])
            hint = (
                f"did you mean `{similar}`?" if similar else "decorate one with @function, or adopt one with `handler`"
            )
            message = f'[tool.pyl.functions.{name}] configures no function: there is none called "{name}"'
            path = (*TABLE, "functions", name)
            self.diagnostics.append(self.document.diagnostic(path, Code.UNKNOWN_FUNCTION, message, hint))

    def _has_wrong_handler(self, name: str) -> bool:
        """Return whether the table has a `handler`, which was reported and left out of the configuration."""
        return "handler" in self.document.table["functions"][name]

    def _report_no_functions(self) -> None:
        folder = self.configuration.source.relative_to(self.document.file.parent).as_posix()
        message = f"no functions in {folder}" if folder != "." else "the project has no functions"
        hint = "decorate one:\nfrom pyl import Context, function\n\n@function\ndef hello(context: Context, event):"
        self.diagnostics.append(self.document.diagnostic(TABLE, Code.NO_FUNCTIONS, message, hint))

    def _function(self, candidate: Candidate, name: str) -> Function:
        configuration = self.configuration.functions.get(name, self.configuration.defaults)
        return Function(
            name=name,
            module=candidate.module.name,
            attribute=candidate.definition.name,
            file=candidate.module.file,
            line=candidate.definition.lineno,
            event=candidate.event,
            configuration=configuration,
            description=configuration.description or candidate.description,
            partial_batch=candidate.partial_batch,
        )

    def _adopted_function(self, handler: Adopted) -> Function:
        configuration = self.configuration.functions[handler.name]
        return Function(
            name=handler.name,
            module=handler.module,
            attribute=handler.attribute,
            file=handler.file,
            line=handler.line,
            event=handler.event,
            configuration=configuration,
            description=configuration.description or handler.description,
            partial_batch=handler.partial_batch,
        )


def _event_files(configuration: Configuration) -> set[Path]:
    functions = configuration.functions.values()
    return {file for function in functions for file in (function.event, function.warm_up) if file}


def _without_recursion_error(file: Path, source: Path) -> Module | Diagnostic:
    try:
        return parse_module(file, source)
    except RecursionError:
        return _too_deep(file)


def _too_deep(file: Path) -> Diagnostic:
    message, hint = "the code nests too deeply to be read", "split it, or leave the file out with `exclude`"
    return Diagnostic(code=Code.SYNTAX_ERROR, message=message, hint=hint, file=file, line=1, column=1)
