"""Errors of container engines come with advice."""

from __future__ import annotations

import pytest
from docker.errors import DockerException
from requests.exceptions import ConnectionError as RequestError

from pyl.errors import EngineError
from pyl.packaging.container.failures import engine_error, is_full, no_engine

HINTS = {
    # As Docker 20.10 to 28, Podman 4 and containerd say it.
    "write /var/lib/docker/tmp/GetImageBlob1: no space left on device": "pyl cache clean",
    "exec /bin/sh: exec format error": "binfmt",
    "no matching manifest for linux/arm64/v8 in the manifest list entries": "base_image",
    "image with reference a was found but does not match the specified platform: wanted linux/arm64": "base_image",
    "toomanyrequests: Data limit exceeded": "docker login",
    "pull access denied for x, repository does not exist or may require 'docker login'": "docker login",
    "manifest for public.ecr.aws/x:9 not found: manifest unknown": "base_image",
    'Get "https://public.ecr.aws/v2/": dial tcp: lookup public.ecr.aws on 10.0.0.1:53: no such host': "proxy",
    'Get "https://public.ecr.aws/v2/": x509: certificate signed by unknown authority': "certificate",
    "error sending request for url (https://example.com/cpython.tar.gz)": "proxy",
    "UnixHTTPConnectionPool(host='localhost', port=None): Read timed out. (read timeout=300)": "try again",
    "crun: mount `proc` to `proc`: Permission denied: OCI permission denied": "--builder local",
}


@pytest.mark.parametrize("message", HINTS)
def test_a_known_message_gets_a_hint(message: str) -> None:
    with pytest.raises(EngineError) as caught, engine_error("cannot pull x"):
        raise DockerException(message)
    assert caught.value.message.startswith("cannot pull x: ")
    assert message in caught.value.message
    assert HINTS[message] in (caught.value.hint or "")


def test_an_unknown_message_is_quoted() -> None:
    message = RequestError("the moon is full")
    with pytest.raises(EngineError) as caught, engine_error("cannot run the container"):
        raise message
    assert caught.value.message == "cannot run the container\n  the moon is full"


def test_a_failed_compilation_is_not_a_full_disk() -> None:
    assert is_full("OSError: [Errno 28] No space left on device: '/cache/x'")
    assert not is_full("NoSpaceLeft is not defined")


def test_a_socket_without_permission_differs_from_no_engine() -> None:
    closed = no_engine(
        "/var/run/docker.sock", DockerException("Error: ('Aborted.', PermissionError(13, 'Permission denied'))")
    )
    assert "no permission to use the container engine" in closed.message
    nobody = no_engine("/var/run/docker.sock", DockerException("Error: FileNotFoundError(2, 'No such file')"))
    assert nobody.message.startswith("no container engine answers at /var/run/docker.sock")
