"""Where packages are written by default."""

from __future__ import annotations

from pathlib import Path

from pyl.architecture import Architecture
from pyl.packaging.package import Kind
from pyl.project.model import Project


def package_folder(project: Project, architecture: Architecture | None = None) -> Path:
    """Return the folder of packages for an architecture, by default for the project's.

    Packages for other architectures have folders of their own, because interpreted packages have equal names.
    """
    folder = project.root / "build" / "pyl"
    return folder if architecture in {None, project.configuration.architecture} else folder / str(architecture)


def package_name(kind: Kind, architecture: Architecture) -> str:
    """Return the file name of a package."""
    return "interpreted.zip" if kind == "interpreted" else f"native-{architecture}.zip"


def package_path(project: Project, kind: Kind, architecture: Architecture | None = None) -> Path:
    """Return the path of a package for an architecture, by default for the project's."""
    return package_folder(project, architecture) / package_name(
        kind, architecture or project.configuration.architecture
    )
