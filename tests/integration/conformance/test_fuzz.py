"""As `unit/runtime/test_conformance_fuzz.py`, of native packages."""

from __future__ import annotations

from unit.runtime.test_conformance_fuzz import *  # noqa: F403
