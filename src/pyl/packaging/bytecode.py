"""Compiles Python sources to `.pyc` files that are valid whatever date the source has in the zip.

This file is also run as a script, in a separate interpreter. The output of `marshal` depends on the number of
references to a constant, and so on everything that the process has imported and compiled before.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import marshal
import sys
from pathlib import Path

_HEAD = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little")
"""Header of a `.pyc` with an unchecked hash of its source: https://peps.python.org/pep-0552/"""


def compile_tree(
    root: Path, *, prefix: str, keep_sources: bool, legacy: bool = False, keep_docstrings: bool = True
) -> None:
    """Write a reproducible `.pyc` with an unchecked hash for every `.py` below `root`.

    A `.pyc` with a timestamp would be stale in a package, where all files have the same date: Python would compile
    every module again at each cold start. It uses a `.pyc` with an unchecked hash (PEP 552) as it is.

    Files that do not compile are ignored: packages contain templates and files for other versions of Python.

    Args:
        root: Folder with the sources.
        prefix: Where `root` is when the code runs (`/var/task`). Tracebacks contain this path instead of the build
            machine's.
        keep_sources: Keep the sources. Without them, bytecode has no columns, which tracebacks need only to mark a part
            of a line of source; this saves a quarter of its size.
        legacy: Write the `.pyc` beside the source (`x.pyc` for `x.py`), where Python finds it without a source.
        keep_docstrings: Keep docstrings in the bytecode.

    Raises:
        BuildError: The files cannot be written.
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
        raise BuildError(msg, hint="free some space, or choose another folder with --out") from failure


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
