"""What engines say when something goes wrong, as errors that say what to do."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from docker.errors import DockerException
from requests.exceptions import RequestException

from pyl.errors import EngineError

_LOCAL = "on Linux `--builder local` does without an engine"


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
        "free some with `pyl cache clean` or `docker system prune`",
    ),
    _known(
        r"exec format error",
        "the engine cannot run programs of this processor",
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
        "the registry refused",
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
        "the engine did not reach the server",
        "see its network, proxy and certificate settings; or name a mirror: `base_image` in [tool.pyl.native]",
    ),
    _known(r"read timed out", "the engine does not answer", "see whether it is overloaded, and try again"),
    _known(
        r"permission denied",
        "the engine does not permit it",
        f"see the engine's rights; {_LOCAL}",
    ),
)


def is_full(said: str) -> bool:
    """Whether an engine or compiler says that there is no room left."""
    return _KNOWN[0].pattern.search(said) is not None


def full(what: str) -> EngineError:
    """There is no room left where the engine keeps its things."""
    return EngineError(f"{what}: {_KNOWN[0].what}", hint=_KNOWN[0].hint)


def no_processor(platform: str) -> EngineError:
    """The engine has neither such a processor nor its emulation."""
    (known,) = (known for known in _KNOWN if known.pattern.search("exec format error"))
    return EngineError(f"the engine cannot run programs for {platform}", hint=known.hint)


@contextlib.contextmanager
def engine_error(what: str) -> Iterator[None]:
    """Turn what goes wrong inside into an `EngineError` that begins with `what`."""
    try:
        yield
    except (DockerException, RequestException) as error:
        raise _explained(what, str(getattr(error, "explanation", None) or error)) from error


def _explained(what: str, said: str) -> EngineError:
    for known in _KNOWN:
        if known.pattern.search(said):
            return EngineError(f"{what}: {known.what}\n{_indented(said)}", hint=known.hint)
    return EngineError(f"{what}\n{_indented(said)}", hint=f"see the engine's log; {_LOCAL}")


def no_engine(address: str, error: Exception) -> EngineError:
    """No engine answers at `address`."""
    said = str(error)
    if "Permission denied" in said:
        msg = f"the container engine at {address} may not be used by this user"
        return EngineError(msg, hint=f"join its group (`sudo usermod -aG docker $USER`, then log in again); {_LOCAL}")
    msg = f"no container engine answers at {address}"
    hint = f"start Docker, Podman, Colima or Finch, or name its address in DOCKER_HOST; {_LOCAL}"
    return EngineError(f"{msg}\n{_indented(said)}", hint=hint)


def _indented(said: str) -> str:
    return "\n".join(f"  {line}" for line in said.strip().splitlines()[-15:])
