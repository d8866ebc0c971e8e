"""Finds the address of the container engine to use."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from docker.context import ContextAPI
from docker.context.config import get_current_context_name
from docker.utils import kwargs_from_env

from pyl.errors import EngineError

PROBE_TIMEOUT = 5
"""Seconds to wait for the engine when connecting to it."""

_USUAL_SOCKETS = (
    "/var/run/docker.sock",
    "~/.docker/run/docker.sock",  # Docker Desktop without the link in /var/run
    "$XDG_RUNTIME_DIR/docker.sock",  # Docker without root
    "~/.colima/default/docker.sock",
    "$XDG_RUNTIME_DIR/podman/podman.sock",
    "/run/podman/podman.sock",
)
"""Sockets to try when nothing selects an engine."""


def find_engine(environ: Mapping[str, str]) -> dict[str, Any]:
    """Find the engine of `DOCKER_HOST`, of the current docker context, or at a usual socket.

    Returns:
        Options for Docker's client, and `address`, the engine's address for messages.

    Raises:
        EngineError: The docker context does not exist.
    """
    if environ.get("DOCKER_HOST"):
        options = kwargs_from_env(environment=dict(environ))
        return {**options, "address": environ["DOCKER_HOST"], "use_ssh_client": True}
    if context := _current_context(environ):
        return {**context, "use_ssh_client": True}
    for candidate in _USUAL_SOCKETS:
        path = Path(os.path.expandvars(candidate)).expanduser()
        if path.is_socket():
            return {"base_url": f"unix://{path}", "address": str(path)}
    return {"base_url": f"unix://{_USUAL_SOCKETS[0]}", "address": _USUAL_SOCKETS[0]}


def probe_socket(address: str) -> None:
    """Connect to a Unix socket and close it again: Docker's client leaks its socket when it cannot connect.

    Raises:
        OSError: The socket cannot be connected.
    """
    if address.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(PROBE_TIMEOUT)
            probe.connect(address.removeprefix("unix://"))


def _current_context(environ: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the client's options for the context that `docker context use` or `DOCKER_CONTEXT` selects.

    Returns:
        None for the default context.

    Raises:
        EngineError: The context does not exist.
    """
    name = environ.get("DOCKER_CONTEXT") or get_current_context_name()
    context = ContextAPI.get_context(name) if name and name != "default" else None
    if context is None:
        if name and name != "default":
            msg = f"there is no docker context {name}"
            raise EngineError(msg, hint="see `docker context ls`")
        return None
    return {"base_url": context.Host, "tls": context.TLSConfig, "address": f"{context.Host} (context {name})"}
