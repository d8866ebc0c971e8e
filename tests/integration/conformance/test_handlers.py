"""As `unit/runtime/test_conformance_handlers.py`, of native packages."""

from __future__ import annotations

from unit.runtime.test_conformance_handlers import *  # noqa: F403
