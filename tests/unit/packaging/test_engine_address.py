"""Choice of a container engine's address, without connecting to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyl.errors import EngineError
from pyl.packaging.container.engine_address import find_engine


@pytest.fixture(autouse=True)
def no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the tests independent of the user's configuration of Docker."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))


def test_the_address_that_is_set_is_the_one() -> None:
    assert find_engine({"DOCKER_HOST": "tcp://10.0.0.1:2375"})["address"] == "tcp://10.0.0.1:2375"


def test_without_an_address_or_context_it_is_a_usual_place() -> None:
    assert "base_url" in find_engine({})


def test_a_missing_context_is_reported() -> None:
    with pytest.raises(EngineError, match="no docker context elsewhere"):
        find_engine({"DOCKER_CONTEXT": "elsewhere"})
