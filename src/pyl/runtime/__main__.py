"""`python -m pyl.runtime` serves a project from its source; `functions` is imported from `sys.path`."""

from __future__ import annotations

from pyl.runtime.native import main

if __name__ == "__main__":
    main()
