"""As `unit/runtime/test_conformance_awslambdaric.py`, of native packages."""

from __future__ import annotations

from unit.runtime.test_conformance_awslambdaric import *  # noqa: F403
