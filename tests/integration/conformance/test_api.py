"""As `unit/runtime/test_conformance_api.py`, of native packages."""

from __future__ import annotations

from unit.runtime.test_conformance_api import *  # noqa: F403
