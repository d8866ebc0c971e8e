"""A function that is invoked directly: by the AWS CLI, an SDK, or another service."""

from __future__ import annotations

from dataclasses import dataclass

from pyl import Context, function


@dataclass
class Guest:
    name: str
    language: str = "en"


WORDS = {"en": "Hello", "de": "Hallo", "pt": "Olá"}


@function
def new_function(context: Context, event: Guest) -> dict[str, str]:
    """Greet a guest."""
    return {"greeting": f"{WORDS.get(event.language, WORDS['en'])}, {event.name}!"}
