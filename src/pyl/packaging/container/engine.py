"""The one module that talks to a container engine, by Docker's API: Docker, Podman, Colima, Finch, near or far."""

from __future__ import annotations

import contextlib
import io
import os
import re
import socket
import tarfile
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

import docker
from docker.context import ContextAPI
from docker.context.config import get_current_context_name
from docker.errors import APIError, DockerException, ImageNotFound
from docker.utils import kwargs_from_env
from requests.exceptions import RequestException

from pyl.errors import EngineError
from pyl.packaging.container.failures import engine_error, no_engine

LABEL = "pyl"
"""On everything that pyl makes in an engine; its value says what the thing is."""

_USUAL_SOCKETS = (
    "/var/run/docker.sock",
    "~/.docker/run/docker.sock",  # Docker Desktop without the link in /var/run
    "$XDG_RUNTIME_DIR/docker.sock",  # Docker without root
    "~/.colima/default/docker.sock",
    "$XDG_RUNTIME_DIR/podman/podman.sock",
    "/run/podman/podman.sock",
)
"""Where engines listen when nothing names one."""

_API_TIMEOUT = 600
"""Seconds without a word from the engine, whatever it is doing."""
_PROBE_TIMEOUT = 5

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")

_TOLD = 10
"""Lines of an image's build that are told with its failure."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a container ended."""

    code: int
    out_of_memory: bool
    out_of_time: bool


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a container is made of. It has no network, and fewer rights than the engine's default."""

    image: str
    platform: str
    volumes: Mapping[str, str]
    """Named volume to the folder where it is."""


class Engine:
    """A container engine that answers."""

    def __init__(self, client: Any, address: str) -> None:
        self._client = client
        self.address = address

    @classmethod
    def connect(cls, environ: Mapping[str, str] = os.environ) -> Engine:
        """The engine of `DOCKER_HOST`, of the current docker context, or at a usual place.

        Raises `EngineError` when none answers.
        """
        address = "the engine"
        try:
            options = _address(environ)
            address = options.pop("address")
            _knock(options.get("base_url", ""))
            client = docker.DockerClient(version="auto", timeout=_PROBE_TIMEOUT, **options)
            client.ping()
        except (DockerException, RequestException, OSError) as error:
            raise no_engine(address, error) from error
        client.api.timeout = _API_TIMEOUT
        return cls(client, address)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._client.close()

    def memory(self) -> int:
        """Bytes of memory that containers share."""
        with engine_error("cannot ask the engine"):
            return int(self._client.info().get("MemTotal", 0))

    def image(self, name: str, platform: str) -> str | None:
        """The identity of an image that the engine has, for this platform; None if it has not."""
        with engine_error(f"cannot look for the image {name}"):
            try:
                found = self._client.images.get(name).attrs
            except ImageNotFound:
                return None
        return str(found["Id"]) if found["Architecture"] == platform.partition("/")[2] else None

    def runs(self, image: str, platform: str) -> bool:
        """Whether the engine can run programs of this image: of its own processor, or by emulation."""
        with engine_error(f"cannot run {image}"):
            if self._client.version()["Arch"] == platform.partition("/")[2]:
                return True
            probe = self._client.containers.create(
                image, ["/bin/sh", "-c", ":"], platform=platform, network_mode="none", labels={LABEL: "build"}
            )
            try:
                probe.start()
                return int(probe.wait()["StatusCode"]) == 0
            except APIError as error:
                if "exec format error" in str(error.explanation):
                    return False
                raise
            finally:
                probe.remove(force=True)

    def pull(self, name: str, platform: str, on_line: Callable[[str], None]) -> None:
        """Fetch an image. Raises `EngineError` that says what the registry answered."""
        with engine_error(f"cannot pull the base image {name}"):
            stream = self._client.api.pull(name, platform=platform, stream=True, decode=True)
            for message in stream:
                _raise_error(message)
                on_line(f"{message.get('id', name)}: {message.get('status', '')} {message.get('progress', '')}".strip())

    def build_image(
        self,
        context: IO[bytes],
        name: str,
        *,
        dockerfile: str,
        arguments: Mapping[str, str],
        platform: str,
        on_line: Callable[[str], None],
    ) -> None:
        """Build an image of a context (a tar archive). Raises `EngineError` with the step that failed."""
        with engine_error(f"cannot build the image {name}"):
            stream = self._client.api.build(
                fileobj=context,
                custom_context=True,
                dockerfile=dockerfile,
                tag=name,
                buildargs=dict(arguments),
                platform=platform,
                labels={LABEL: "builder"},
                rm=True,
                forcerm=True,
                decode=True,
            )
            said: deque[str] = deque(maxlen=_TOLD)
            for message in stream:
                _raise_error(message, said)
                for line in _COLOUR.sub("", str(message.get("stream", ""))).splitlines():
                    said.append(line.rstrip())
                    on_line(line.rstrip())

    @contextlib.contextmanager
    def container(self, settings: Settings) -> Iterator[Container]:
        """A container that is not started yet; removed at the end, whatever happens."""
        with engine_error("cannot make the container"):
            for volume in settings.volumes:
                self._client.volumes.create(volume, labels={LABEL: "cache"})
            made = self._client.containers.create(
                settings.image,
                platform=settings.platform,
                hostname="localhost",
                network_mode="none",
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                tmpfs={"/tmp": "mode=1777,exec"},  # noqa: S108 - the container's, empty as in Lambda
                volumes={name: {"bind": folder, "mode": "rw"} for name, folder in settings.volumes.items()},
                labels={LABEL: "build"},
            )
        try:
            yield Container(made)
        finally:
            with contextlib.suppress(Exception):  # an error on the way here says more
                made.remove(force=True, v=True)

    def remove_everything(self) -> list[str]:
        """Remove volumes and images that pyl made; returns their names. What is in use stays."""
        removed = []
        with engine_error("cannot clean up"):
            builds = {"label": f"{LABEL}=build"}
            for container in self._client.containers.list(all=True, filters=builds, ignore_removed=True):
                with contextlib.suppress(APIError):  # one that runs is somebody's build
                    container.remove(v=True)
                    removed.append(f"container {container.name}")
            for volume in self._client.volumes.list(filters={"label": LABEL}):
                with contextlib.suppress(APIError):
                    volume.remove()
                    removed.append(f"volume {volume.name}")
            for image in self._client.images.list(filters={"label": LABEL}):
                with contextlib.suppress(APIError):
                    self._client.images.remove(image.id, force=len(image.tags) > 1)
                    removed.append(f"image {' '.join(image.tags) or image.short_id}")
        return removed


class Container:
    """A container of the engine: filled, run to its end, and read."""

    def __init__(self, container: Any) -> None:
        self._container = container

    def read(self, path: str) -> bytes:
        """The content of a file; the container need not run."""
        with engine_error(f"cannot read {path} of the container"), self._archive(path) as archive:
            for member in archive:
                if file := archive.extractfile(member):
                    return file.read()
        msg = f"the container's {path} is no file"
        raise EngineError(msg)

    def fetch(self, path: str, target: Path) -> None:
        """Copy a file out of the container."""
        with engine_error(f"cannot fetch {path} from the container"), self._archive(path) as archive:
            for member in archive:
                if file := archive.extractfile(member):
                    with target.open("wb") as output:
                        while piece := file.read(1 << 20):
                            output.write(piece)

    def put(self, archive: IO[bytes], folder: str) -> None:
        """Unpack a tar archive into a folder of the container."""
        with engine_error("cannot copy files into the container"):
            self._container.put_archive(folder, archive)

    def run(self, on_output: Callable[[bytes], None], on_error: Callable[[bytes], None], *, timeout: float) -> Ended:
        """Start it, hand on what it writes to stdout and stderr, and wait for its end.

        After `timeout` seconds it is killed. Raises `EngineError` when it cannot be started.
        """
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            with contextlib.suppress(Exception):
                self._container.kill()

        with engine_error("cannot run the container"):
            streams = self._container.attach(stdout=True, stderr=True, stream=True, logs=False, demux=True)
            self._container.start()
            clock = threading.Timer(timeout, expire)
            clock.start()
            try:
                for output, error in streams:
                    if output:
                        on_output(output)
                    if error:
                        on_error(error)
                code = int(self._container.wait()["StatusCode"])
            finally:
                clock.cancel()
            self._container.reload()
        out_of_memory = bool(self._container.attrs["State"].get("OOMKilled"))
        return Ended(code=code, out_of_memory=out_of_memory, out_of_time=expired.is_set())

    @contextlib.contextmanager
    def _archive(self, path: str) -> Iterator[tarfile.TarFile]:
        pieces, _ = self._container.get_archive(path)
        with tarfile.open(fileobj=io.BufferedReader(_Pieces(pieces)), mode="r|") as archive:
            yield archive


class _Pieces(io.RawIOBase):
    """The pieces of a response as a file."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _raise_error(message: Mapping[str, Any], said: Iterable[str] = ()) -> None:
    if "error" in message:
        raise DockerException("\n".join([*filter(None, said), str(message["error"])]))


def _knock(address: str) -> None:
    """Raise what connecting to a socket raises; the client forgets to close the one that it tried."""
    if address.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(_PROBE_TIMEOUT)
            door.connect(address.removeprefix("unix://"))


def _address(environ: Mapping[str, str]) -> dict[str, Any]:
    """How to reach the engine, as arguments of the client; `address` for messages."""
    if environ.get("DOCKER_HOST"):
        found = kwargs_from_env(environment=dict(environ))
        return {**found, "address": environ["DOCKER_HOST"], "use_ssh_client": True}
    if context := _current_context(environ):
        return {**context, "use_ssh_client": True}
    for candidate in _USUAL_SOCKETS:
        path = Path(os.path.expandvars(candidate)).expanduser()
        if path.is_socket():
            return {"base_url": f"unix://{path}", "address": str(path)}
    return {"base_url": f"unix://{_USUAL_SOCKETS[0]}", "address": _USUAL_SOCKETS[0]}


def _current_context(environ: Mapping[str, str]) -> dict[str, Any] | None:
    """What `docker context use`, or `DOCKER_CONTEXT`, chose; None for the default context."""
    name = environ.get("DOCKER_CONTEXT") or get_current_context_name()
    context = ContextAPI.get_context(name) if name and name != "default" else None
    if context is None:
        if name and name != "default":
            msg = f"there is no docker context {name}"
            raise EngineError(msg, hint="see `docker context ls`")
        return None
    return {"base_url": context.Host, "tls": context.TLSConfig, "address": f"{context.Host} (context {name})"}
