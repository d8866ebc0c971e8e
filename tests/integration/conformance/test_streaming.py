"""As `unit/runtime/test_conformance_streaming.py`, of native packages."""

from __future__ import annotations

from unit.runtime.test_conformance_streaming import *  # noqa: F403
