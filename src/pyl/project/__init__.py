"""Read a project: its configuration, its functions (without importing them), and its dependencies."""

from __future__ import annotations

from pyl.project.examination import Examination, examine, load_project

__all__ = ["Examination", "examine", "load_project"]
