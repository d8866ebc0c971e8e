"""Compiles Python sources to `.pyc` files that stay valid whatever date the zip gives the source.

This file is also a script, run in an interpreter of its own: what `marshal` writes depends on how many
references a constant has, and so on all that the process has imported and compiled before.
"""

from __future__ import annotations

import importlib.util
import json
import py_compile
import sys
from pathlib import Path


def compile_tree(root: Path, *, prefix: str, keep_sources: bool, legacy: bool = False) -> None:
    """Write an unchecked-hash `.pyc` for every `.py` below `root`: the same one for the same sources.

    Timestamp `.pyc` files are stale in a package, since its files all carry one fixed date: Python would
    compile every module again at each cold start. An unchecked-hash one (PEP 552) is used as it is.

    `prefix` is the folder that `root` will be at when it runs (`/var/task`): tracebacks name it, and no
    path of the build machine is left behind. With `legacy` the `.pyc` stands where the source stood
    (`x.pyc` for `x.py`), the form that Python imports without a source. A file that does not compile is
    left as it is: packages ship templates and files for other Pythons that nobody imports.
    """
    from pyl.errors import BuildError
    from pyl.process import CommandFailed, run

    settings = {"root": str(root), "prefix": prefix, "keep_sources": keep_sources, "legacy": legacy}
    try:
        run([sys.executable, "-S", "-P", __file__, json.dumps(settings)], environment={"PYTHONHASHSEED": "0"})
    except CommandFailed as failure:
        msg = f"cannot write bytecode: {failure.output.strip() or failure.message}"
        raise BuildError(msg, hint="free some space, or name another folder with --out") from failure


def _compile_all(root: Path, prefix: str, keep_sources: bool, legacy: bool) -> None:
    for source in sorted(root.rglob("*.py")):
        relative = source.relative_to(root)
        target = source.with_suffix(".pyc") if legacy else Path(importlib.util.cache_from_source(str(source)))
        target.parent.mkdir(exist_ok=True)
        try:
            compiled = py_compile.compile(
                str(source),
                cfile=str(target),
                dfile=f"{prefix}/{relative}",
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
                quiet=2,
            )
        except (ValueError, RecursionError):
            continue
        if compiled and not keep_sources:
            source.unlink()


def _main() -> None:
    wanted = json.loads(sys.argv[1])
    try:
        _compile_all(Path(wanted.pop("root")), **wanted)
    except OSError as error:
        sys.exit(f"{error.filename or wanted}: {error.strerror}")


if __name__ == "__main__":
    _main()
