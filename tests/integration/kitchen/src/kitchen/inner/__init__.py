from .. import NAME  # noqa: TID252 - what is tested
from .shelf import spoon  # noqa: TID252

__all__ = ["NAME", "spoon"]
