"""The engine is found where the environment and docker's own configuration name it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from pyl.errors import EngineError
from pyl.packaging.container.engine import Engine


def write_context(folder: Path, name: str, address: str) -> None:
    """As `docker context create` and `docker context use` leave it."""
    meta = folder / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest() / "meta.json"
    meta.parent.mkdir(parents=True)
    endpoints = {"docker": {"Host": address, "SkipTLSVerify": False}}
    meta.write_text(json.dumps({"Name": name, "Metadata": {}, "Endpoints": endpoints}))
    (folder / "config.json").write_text(json.dumps({"currentContext": name}))


def test_the_current_docker_context_is_followed(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_context(tmp_path, "colima", engine)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with Engine.connect({}) as found:
        assert found.address == f"{engine} (context colima)"
        assert found.memory() > 0


def test_docker_host_comes_before_the_context(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_context(tmp_path, "elsewhere", f"unix://{tmp_path}/nobody.sock")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with Engine.connect({"DOCKER_HOST": engine}) as found:
        assert found.address == engine
    with pytest.raises(EngineError, match=r"no container engine answers at unix://.*nobody\.sock \(context elsewhere"):
        Engine.connect({})


def test_a_context_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with pytest.raises(EngineError, match="there is no docker context nowhere"):
        Engine.connect({"DOCKER_CONTEXT": "nowhere"})
