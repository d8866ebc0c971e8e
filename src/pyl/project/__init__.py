"""What a project is: its configuration, its functions (found without importing them), its dependencies."""

from __future__ import annotations

from pyl.project.examination import Examination, examine, load_project

__all__ = ["Examination", "examine", "load_project"]
