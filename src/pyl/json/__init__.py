"""JSON between Lambda and handlers."""

MAX_DEPTH = 1000
"""Levels of nesting that are encoded: Python's own limit of recursion."""
