"""`python -m pyl.runtime` serves a project from its source: the `functions` module is found on `sys.path`."""

from __future__ import annotations

from pyl.runtime.native import main

if __name__ == "__main__":
    main()
