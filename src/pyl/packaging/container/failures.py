"""Turns error messages of container engines into errors that say what to do."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from docker.errors import DockerException
from requests.exceptions import RequestException

from pyl.errors import EngineError

_LOCAL = "on Linux, `--builder local` needs no engine"


@dataclass(frozen=True)
class _Known:
    pattern: re.Pattern[str]
    what: str
    hint: str


def _known(pattern: str, what: str, hint: str) -> _Known:
    return _Known(re.compile(pattern, re.IGNORECASE), what, hint)


_KNOWN = (
    _known(
        r"no space left on device|disk quota exceeded|not enough space",
        "the engine's disk is full",
        "free some space with `pyl cache clean` or `docker system prune`",
    ),
    _known(
        r"exec format error",
        "the engine cannot run programs for this processor",
        "install its emulation (`docker run --privileged --rm tonistiigi/binfmt --install all`), or use an engine on"
        " such a machine (DOCKER_HOST)",
    ),
    _known(
        r"no matching manifest|does not match the (?:specified|detected) (?:platform|host)|was found but does not match"
        r"|does not provide the specified platform",
        "there is no such image for this processor",
        "choose another `base_image` in [tool.pyl.native]",
    ),
    _known(
        r"toomanyrequests|rate limit|pull access denied|unauthorized|denied: requested access|no basic auth",
        "the registry refused the request",
        "log in (`docker login`), wait, or name a mirror: `base_image` in [tool.pyl.native]",
    ),
    _known(
        r"manifest unknown|not found|no such image|does not exist",
        "there is no such image",
        "name another one: `base_image` in [tool.pyl.native]",
    ),
    _known(
        r"lookup .* on|no such host|i/o timeout|network is unreachable|connection refused|TLS handshake|x509"
        r"|client\.timeout|connection reset|error sending request|dns error",
        "the engine cannot reach the server",
        "check its network, proxy and certificate settings; or name a mirror: `base_image` in [tool.pyl.native]",
    ),
    _known(r"read timed out", "the engine does not answer", "check whether it is overloaded, and try again"),
    _known(
        r"permission denied",
        "the engine denied permission",
        f"check the engine's permissions; {_LOCAL}",
    ),
)


def is_full(output: str) -> bool:
    """Return whether the output of an engine or compiler says that the disk is full."""
    return _KNOWN[0].pattern.search(output) is not None


def full(what: str) -> EngineError:
    """Return the error for a full disk of the engine; `what` says what failed."""
    return EngineError(f"{what}: {_KNOWN[0].what}", hint=_KNOWN[0].hint)


def no_processor(platform: str) -> EngineError:
    """Return the error for an engine that neither has nor emulates the processor."""
    (known,) = (known for known in _KNOWN if known.pattern.search("exec format error"))
    return EngineError(f"the engine cannot run programs for {platform}", hint=known.hint)


@contextlib.contextmanager
def engine_error(what: str) -> Iterator[None]:
    """Turn errors of the engine's client into errors that say what to do.

    Args:
        what: What failed, the beginning of the message.

    Raises:
        EngineError: The engine failed in the block.
    """
    try:
        yield
    except (DockerException, RequestException) as error:
        raise _explained(what, str(getattr(error, "explanation", None) or error)) from error


def _explained(what: str, output: str) -> EngineError:
    for known in _KNOWN:
        if known.pattern.search(output):
            return EngineError(f"{what}: {known.what}\n{_indented(output)}", hint=known.hint)
    return EngineError(f"{what}\n{_indented(output)}", hint=f"check the engine's log; {_LOCAL}")


def no_engine(address: str, error: Exception) -> EngineError:
    """Return the error for an engine that cannot be reached at `address`."""
    output = str(error)
    if "Permission denied" in output:
        msg = f"you have no permission to use the container engine at {address}"
        return EngineError(msg, hint=f"join its group (`sudo usermod -aG docker $USER`, then log in again); {_LOCAL}")
    msg = f"no container engine answers at {address}"
    hint = f"start Docker, Podman, Colima or Finch, or name its address in DOCKER_HOST; {_LOCAL}"
    return EngineError(f"{msg}\n{_indented(output)}", hint=hint)


def _indented(output: str) -> str:
    return "\n".join(f"  {line}" for line in output.strip().splitlines()[-15:])
