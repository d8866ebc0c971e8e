"""Runs Nuitka in sight of the distributions that what it compiles will run beside, and of no others.

Nuitka answers `importlib.metadata.version("certifi")` and `entry_points()` while it compiles, from the environment that
it runs in. That environment is pyl's; the answer has to be the package's.

Arguments: the folder that holds Nuitka, a folder with the metadata of those distributions or an empty string, Nuitka's
own arguments. Run with `-S -P -X frozen_modules=off` and `PYTHONHASHSEED=0`: Nuitka then has no reason to start itself
anew.
"""

import runpy
import sys

if __name__ == "__main__":
    _, home, distributions, *arguments = sys.argv
    sys.path.insert(0, home)
    import nuitka  # type: ignore[import-untyped]  # noqa: F401

    # It stays importable without the folder, and what is installed beside it is out of sight.
    del sys.path[0]
    if distributions:
        sys.path.append(distributions)
    sys.argv[1:] = arguments
    runpy.run_module("nuitka", run_name="__main__", alter_sys=True)
