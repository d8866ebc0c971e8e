"""How many examples hypothesis tries: 25, or 500 with `HYPOTHESIS_PROFILE=thorough`. Conftests import it."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("quick", max_examples=25, deadline=None)
settings.register_profile("thorough", max_examples=500, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
