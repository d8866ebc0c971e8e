"""The `functions` module of an interpreted package, as a build generates it."""

import importlib.util
import pathlib

from pyl.runtime.bootstrap import Table

_spec = importlib.util.spec_from_file_location(
    "function_table", pathlib.Path(__file__).parents[1] / "project" / "functions.py"
)
assert _spec is not None
assert _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
TABLE = _module.TABLE

__getattr__ = Table(TABLE)
