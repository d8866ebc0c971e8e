"""Compiles Python sources to `.pyc` files that stay valid whatever date the zip gives the source.

This file is also a script, run in an interpreter of its own: what `marshal` writes depends on how many
references a constant has, and so on all that the process has imported and compiled before.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import marshal
import sys
from pathlib import Path

_HEAD = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little")
"""Of a `.pyc` with a hash of its source that is not checked: https://peps.python.org/pep-0552/"""


def compile_tree(
    root: Path, *, prefix: str, keep_sources: bool, legacy: bool = False, keep_docstrings: bool = True
) -> None:
    """Write an unchecked-hash `.pyc` for every `.py` below `root`: the same one for the same sources.

    Timestamp `.pyc` files are stale in a package, since its files all carry one fixed date: Python would
    compile every module again at each cold start. An unchecked-hash one (PEP 552) is used as it is.

    `prefix` is the folder that `root` will be at when it runs (`/var/task`): tracebacks name it, and no
    path of the build machine is left behind. With `legacy` the `.pyc` stands where the source stood
    (`x.pyc` for `x.py`), the form that Python imports without a source. Without sources there are no columns
    either, which tracebacks would only point to in a line of source: a quarter of what bytecode takes. A file that
    does not compile is left as it is: packages ship templates and files for other Pythons that nobody imports.
    """
    from pyl.errors import BuildError
    from pyl.process import CommandFailed, run

    settings = {
        "root": str(root),
        "prefix": prefix,
        "keep_sources": keep_sources,
        "legacy": legacy,
        "keep_docstrings": keep_docstrings,
    }
    options = ["-S", "-P", *([] if keep_sources else ["-X", "no_debug_ranges"])]
    try:
        run([sys.executable, *options, __file__, json.dumps(settings)], environment={"PYTHONHASHSEED": "0"})
    except CommandFailed as failure:
        msg = f"cannot write bytecode: {failure.output.strip() or failure.message}"
        raise BuildError(msg, hint="free some space, or name another folder with --out") from failure


def _compile_all(root: Path, prefix: str, keep_sources: bool, legacy: bool, keep_docstrings: bool) -> None:
    for source in sorted(root.rglob("*.py")):
        target = source.with_suffix(".pyc") if legacy else Path(importlib.util.cache_from_source(str(source)))
        content = source.read_bytes()
        try:
            compiled = content if keep_docstrings else _without_docstrings(content)
            code = compile(compiled, f"{prefix}/{source.relative_to(root)}", "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(_HEAD + importlib.util.source_hash(content) + marshal.dumps(code))
        if not keep_sources:
            source.unlink()


def _without_docstrings(source: bytes) -> ast.Module:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        match node:
            case ast.Module() | ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                match node.body:
                    case [ast.Expr(value=ast.Constant(value=str())) as first, *rest]:
                        node.body = rest or [ast.copy_location(ast.Pass(), first)]
    return tree


def _main() -> None:
    settings = json.loads(sys.argv[1])
    try:
        _compile_all(Path(settings.pop("root")), **settings)
    except OSError as error:
        sys.exit(f"{error.filename or settings}: {error.strerror}")


if __name__ == "__main__":
    _main()
