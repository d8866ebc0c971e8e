"""Main module of every native package's program: finds the package's modules, then serves.

Compiled by Nuitka, never imported by the tool. It runs before the standard library can be imported.
"""

import sys

# Not `os.path`: nothing may be imported before the path is right, and this costs nothing.
_app = __file__.rpartition("/")[0]
_library = f"{_app}/lib"
_version = f"python{sys.version_info[0]}.{sys.version_info[1]}"

# Layers stand where the managed runtimes look for them:
# https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html
sys.path[:] = [
    f"{_app}/site",
    _library,
    f"{_library}/lib-dynload",
    f"/opt/python/lib/{_version}/site-packages",
    "/opt/python",
]
# Packages that Nuitka's start-up imports (encodings, importlib, ...) are inside the program without the
# submodules that it does not need itself.
for _name, _module in list(sys.modules.items()):
    if hasattr(_module, "__path__"):
        _module.__path__ = [*_module.__path__, f"{_library}/{_name.replace('.', '/')}"]

import pyl.runtime  # noqa: E402 - inside of the program

# What of it is C, or bytecode, stands outside.
pyl.__path__.append(f"{_app}/site/pyl")
pyl.runtime.__path__.append(f"{_app}/site/pyl/runtime")

from pyl.runtime.native import main  # noqa: E402

main()
