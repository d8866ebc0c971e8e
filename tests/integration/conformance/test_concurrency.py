"""As `unit/runtime/test_conformance_concurrency.py`, of native packages."""

from __future__ import annotations

from unit.runtime.test_conformance_concurrency import *  # noqa: F403
