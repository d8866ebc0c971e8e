"""What `pyl doctor engine` says of container engines: none, one that answers, one that is small."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from integration.projects import run


@contextmanager
def engine(memory: int) -> Iterator[str]:
    """The part of Docker's API that tells of the engine itself, by HTTP."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answers: dict[str, Callable[[], bytes]] = {
                "_ping": lambda: b"OK",
                "version": lambda: json.dumps({"ApiVersion": "1.47", "MinAPIVersion": "1.24"}).encode(),
                "info": lambda: json.dumps({"MemTotal": memory}).encode(),
            }
            body = answers[self.path.rpartition("/")[2]]()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"tcp://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("memory", "status"), [(8_000_000_000, "ok"), (1_000_000_000, "warning")])
def test_an_engine_that_answers_is_told_with_its_memory(memory: int, status: str) -> None:
    with engine(memory) as address:
        done = run("doctor", "engine", "--json", DOCKER_HOST=address).succeeded()
    (found,) = done.json
    assert (found["status"], address in found["found"]) == (status, True)
    assert f"{memory / 1e9:.1f} GB" in found["found"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is built without one")
def test_on_linux_an_engine_is_not_needed(tmp_path: Path) -> None:
    done = run("doctor", "engine", "--json", DOCKER_HOST=f"unix://{tmp_path}/none.sock").succeeded()
    (found,) = done.json
    assert found["status"] == "warning"
    assert "on this machine" in found["fix"]
