"""The processor architectures that have process images, each in a folder below this one; see `interface`."""

from __future__ import annotations

from pyl.architecture import Architecture
from pyl.image.arch.interface import Processor


def of(architecture: Architecture) -> Processor | None:
    """Return what images need to know of an architecture, or None where there are no images."""
    if architecture is Architecture.X86_64:
        from pyl.image.arch.x86_64.processor import X86_64

        return X86_64()
    return None


def host() -> Processor | None:
    """Return what images need to know of this machine, or None where there are no images."""
    architecture = Architecture.host()
    return of(architecture) if architecture else None


def supported() -> tuple[Architecture, ...]:
    """Return the architectures that have process images."""
    return tuple(architecture for architecture in Architecture if of(architecture))
