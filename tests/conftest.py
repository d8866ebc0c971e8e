"""Settings of the whole suite.

`pytest --hypothesis-profile=thorough` generates ten times as many examples, where a test does not fix the number.
"""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("thorough", max_examples=10 * settings.default.max_examples)
