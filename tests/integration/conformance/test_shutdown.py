"""As `unit/runtime/test_conformance_shutdown.py`, of native packages."""

from __future__ import annotations

from unit.runtime.test_conformance_shutdown import *  # noqa: F403
