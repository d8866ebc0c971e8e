"""Runs Nuitka so that it sees only the distributions of the native package.

While it compiles, Nuitka evaluates `importlib.metadata.version("certifi")` and `entry_points()` in its own environment,
which is pyl's. The results must be those of the native package.

Arguments: the folder that contains Nuitka, a folder with the metadata of those distributions or an empty string, and
Nuitka's own arguments. Run it with `-S -P -X frozen_modules=off` and `PYTHONHASHSEED=0`, so that Nuitka does not
restart itself.
"""

import runpy
import sys

if __name__ == "__main__":
    _, home, distributions, *arguments = sys.argv
    sys.path.insert(0, home)
    import nuitka  # type: ignore[import-untyped]  # noqa: F401

    # Nuitka stays importable, but other distributions in its folder do not.
    del sys.path[0]
    if distributions:
        sys.path.append(distributions)
    sys.argv[1:] = arguments
    runpy.run_module("nuitka", run_name="__main__", alter_sys=True)
