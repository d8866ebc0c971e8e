"""Talks to a local or remote container engine by Docker's API: Docker, Podman, Colima, Finch. No other module does."""

from __future__ import annotations

import contextlib
import io
import os
import re
import tarfile
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

import docker
from docker.errors import APIError, DockerException, ImageNotFound
from requests.exceptions import RequestException

from pyl.errors import EngineError
from pyl.packaging.container.engine_address import PROBE_TIMEOUT, find_engine, probe_socket
from pyl.packaging.container.failures import engine_error, no_engine

LABEL = "pyl"
"""Label of everything that pyl creates in an engine. Its value is `builder` (an image), `build` or `cache`."""

_API_TIMEOUT = 600
"""Seconds to wait for data from the engine."""

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")

_ERROR_CONTEXT = 10
"""Lines of output that an error message quotes when an image cannot be built."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a container ended."""

    code: int
    out_of_memory: bool
    out_of_time: bool


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of a container. It has no network, and fewer privileges than the engine's default."""

    image: str
    platform: str
    volumes: Mapping[str, str]
    """Mount point of each named volume."""


class Engine:
    """Connection to a container engine."""

    def __init__(self, client: Any, address: str) -> None:
        self._client = client
        self.address = address

    @classmethod
    def connect(cls, environ: Mapping[str, str] = os.environ) -> Engine:
        """Connect to the engine of `DOCKER_HOST`, of the current docker context, or at a usual socket.

        Raises:
            EngineError: No engine answers.
        """
        address = "the engine"
        try:
            options = find_engine(environ)
            address = options.pop("address")
            probe_socket(options.get("base_url", ""))
            client = docker.DockerClient(version="auto", timeout=PROBE_TIMEOUT, **options)
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
        """Return how many bytes of memory containers share."""
        with engine_error("cannot ask the engine"):
            return int(self._client.info().get("MemTotal", 0))

    def image(self, name: str, platform: str) -> str | None:
        """Return the identity of an image for this platform; None if the engine does not have it."""
        with engine_error(f"cannot look for the image {name}"):
            try:
                image_attributes = self._client.images.get(name).attrs
            except ImageNotFound:
                return None
        return str(image_attributes["Id"]) if image_attributes["Architecture"] == platform.partition("/")[2] else None

    def runs(self, image: str, platform: str) -> bool:
        """Return whether the engine can run programs of this image, natively or by emulation."""
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
        """Pull an image.

        Args:
            name: Name of the image.
            platform: Platform to pull it for, such as `linux/amd64`.
            on_line: Called with each line of progress.

        Raises:
            EngineError: The image cannot be pulled. The message has the registry's response.
        """
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
        """Build an image.

        Args:
            context: The build context, a tar archive.
            name: Name of the image to build.
            dockerfile: Name of the Dockerfile in the context.
            arguments: Build arguments.
            platform: Platform to build for, such as `linux/amd64`.
            on_line: Called with each line of the build's output.

        Raises:
            EngineError: The build failed. The message has the end of its output.
        """
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
            recent_lines: deque[str] = deque(maxlen=_ERROR_CONTEXT)
            for message in stream:
                _raise_error(message, recent_lines)
                for line in _COLOUR.sub("", str(message.get("stream", ""))).splitlines():
                    recent_lines.append(line.rstrip())
                    on_line(line.rstrip())

    @contextlib.contextmanager
    def container(self, settings: Settings) -> Iterator[Container]:
        """Create a container, and remove it at the end. It is not started yet.

        Raises:
            EngineError: The container cannot be created.
        """
        with engine_error("cannot create the container"):
            for volume in settings.volumes:
                self._client.volumes.create(volume, labels={LABEL: "cache"})
            docker_container = self._client.containers.create(
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
            yield Container(docker_container)
        finally:
            with contextlib.suppress(Exception):  # an error in the block is more important
                docker_container.remove(force=True, v=True)

    def remove_everything(self) -> list[str]:
        """Remove containers, volumes and images that pyl created and that are not in use.

        Returns:
            What was removed, such as `volume pyl-0123`.
        """
        removed = []
        with engine_error("cannot clean up"):
            builds = {"label": f"{LABEL}=build"}
            for container in self._client.containers.list(all=True, filters=builds, ignore_removed=True):
                with contextlib.suppress(APIError):  # a running one is a build in progress
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
    """A container of the engine."""

    def __init__(self, container: Any) -> None:
        self._container = container

    def read(self, path: str) -> bytes:
        """Return the content of a file. The container does not have to run.

        Raises:
            EngineError: The file cannot be read.
        """
        with engine_error(f"cannot read {path} in the container"), self._archive(path) as archive:
            for member in archive:
                if file := archive.extractfile(member):
                    return file.read()
        msg = f"{path} in the container is not a file"
        raise EngineError(msg)

    def fetch(self, path: str, target: Path) -> None:
        """Copy a file out of the container.

        Raises:
            EngineError: The file cannot be copied.
        """
        with engine_error(f"cannot copy {path} from the container"), self._archive(path) as archive:
            for member in archive:
                if file := archive.extractfile(member):
                    with target.open("wb") as output:
                        while piece := file.read(1 << 20):
                            output.write(piece)

    def put(self, archive: IO[bytes], folder: str) -> None:
        """Unpack a tar archive into a folder of the container.

        Raises:
            EngineError: The archive cannot be copied.
        """
        with engine_error("cannot copy files into the container"):
            self._container.put_archive(folder, archive)

    def run(self, on_output: Callable[[bytes], None], on_error: Callable[[bytes], None], *, timeout: float) -> Ended:
        """Start the container, and wait until it ends.

        Args:
            on_output: Called with pieces of its stdout.
            on_error: Called with pieces of its stderr.
            timeout: Seconds after which it is killed.

        Raises:
            EngineError: The container cannot be started.
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
    """A response that arrives in pieces, as a file."""

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


def _raise_error(message: Mapping[str, Any], recent_lines: Iterable[str] = ()) -> None:
    if "error" in message:
        raise DockerException("\n".join([*filter(None, recent_lines), str(message["error"])]))
