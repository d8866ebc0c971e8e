"""Compiles Python sources to `.pyc` files that stay valid whatever date the zip gives the source."""

from __future__ import annotations

import importlib.util
import py_compile
from pathlib import Path


def compile_tree(root: Path, *, prefix: str, keep_sources: bool, legacy: bool = False) -> None:
    """Write an unchecked-hash `.pyc` for every `.py` below `root`.

    Timestamp `.pyc` files are stale in a package, since its files all carry one fixed date: Python would
    compile every module again at each cold start. An unchecked-hash one (PEP 552) is used as it is.

    `prefix` is the folder that `root` will be at when it runs (`/var/task`): tracebacks name it, and no
    path of the build machine is left behind. With `legacy` the `.pyc` stands where the source stood
    (`x.pyc` for `x.py`), the form that Python imports without a source. A file that does not compile is
    left as it is: packages ship templates and files for other Pythons that nobody imports.
    """
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
