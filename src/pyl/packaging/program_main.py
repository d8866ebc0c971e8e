"""Main module of every native package's program: finds the package's modules, then serves.

Compiled by Nuitka, never imported by the tool. It runs before the standard library can be imported.
"""

import sys

# Without `os.path`: nothing can be imported before the path is set.
_app = __file__.rpartition("/")[0]
_library = f"{_app}/lib"
_version = f"python{sys.version_info[0]}.{sys.version_info[1]}"

# Layers are where the managed runtimes look for them:
# https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html
sys.path[:] = [
    f"{_app}/site",
    _library,
    f"{_library}/lib-dynload",
    f"/opt/python/lib/{_version}/site-packages",
    "/opt/python",
]
# Packages that Nuitka's start-up imports (encodings, importlib, ...) are in the program, but only with the
# submodules that the start-up needs.
for _name, _module in list(sys.modules.items()):
    if hasattr(_module, "__path__"):
        _module.__path__ = [*_module.__path__, f"{_library}/{_name.replace('.', '/')}"]

import pyl.runtime  # noqa: E402 - in the program

# Its parts in C and in bytecode are not in the program.
pyl.__path__.append(f"{_app}/site/pyl")
pyl.runtime.__path__.append(f"{_app}/site/pyl/runtime")

from pyl.runtime.native import main  # noqa: E402

main()
