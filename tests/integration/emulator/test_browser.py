"""Pages in a real browser use function URLs: cookies, streaming, and CORS as it is configured."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from unit.emulator.fakes import function, package, serving, with_deployment

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")

FUNCTIONS = """
if name == "page":
    if event["rawPath"] == "/":
        page = open("/var/task/page.html").read() if os.path.exists("/var/task/page.html") else open("page.html").read()
        html = {"content-type": "text/html"}
        cookies = ["session=abc; Path=/; HttpOnly", "seen=1; Path=/"]
        result = {"statusCode": 200, "headers": html, "body": page, "cookies": cookies}
    else:
        result = {"cookies": event.get("cookies", []), "method": event["requestContext"]["http"]["method"]}
elif name in ("stream", "foreign"):
    def slowly():
        prelude = {"statusCode": 200, "headers": {"content-type": "text/plain"}}
        yield json.dumps(prelude).encode() + bytes(8)
        for word in ("one ", "two ", "three"):
            yield word.encode()
            time.sleep(0.3)
    stream(slowly(), "application/vnd.awslambda.http-integration-response")
elif name in ("open", "closed"):
    result = {"method": event["requestContext"]["http"]["method"], "body": event.get("body")}
"""

SCRIPT = """\
async function send(report) { await fetch('/report', {method: 'POST', body: JSON.stringify(report)}); }
async function pieces(url) {
  const reader = (await fetch(url)).body.getReader();
  const texts = [];
  for (;;) {
    const {done, value} = await reader.read();
    if (done) return texts;
    texts.push(new TextDecoder().decode(value));
  }
}
"""

OWN_PAGE = """\
<script>
%s
(async () => {
  const report = {};
  report.cookies = (await (await fetch('/url/page/again')).json()).cookies;
  report.visible = document.cookie;
  report.posted = (await (await fetch('/url/page/again', {method: 'POST'})).json()).method;
  report.pieces = await pieces('/url/stream/');
  await fetch('REPORT', {method: 'POST', mode: 'no-cors', body: JSON.stringify(report)});
})();
</script>
"""

FOREIGN_PAGE = """\
<script>
%s
(async () => {
  const report = {};
  const json = {method: 'PUT', headers: {'content-type': 'application/json', 'x-a': 'b'}, body: '{}'};
  report.open = await (await fetch('EMULATOR/url/open/', json)).json();
  report.pieces = await pieces('EMULATOR/url/foreign/');
  for (const path of ['/url/closed/', '/2015-03-31/functions/open/invocations']) {
    try { await fetch('EMULATOR' + path, {method: 'POST', body: '{}'}); report[path] = 'allowed'; }
    catch (error) { report[path] = error.name; }
  }
  await send(report);
})();
</script>
"""


class _Site:
    """A web server of another origin. It serves a page and receives reports of pages."""

    def __init__(self) -> None:
        self.page = b""
        self.reports: list[Any] = []
        self.reported = threading.Event()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(site.page)

            def do_POST(self) -> None:
                site.reports.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()
                site.reported.set()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def site() -> Iterator[_Site]:
    running_site = _Site()
    thread = threading.Thread(target=running_site.server.serve_forever)
    thread.start()
    yield running_site
    running_site.server.shutdown()
    thread.join()
    running_site.server.server_close()


@contextmanager
def browser(url: str, folder: Path) -> Iterator[None]:
    """Open a page in Chromium."""
    assert CHROMIUM
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    process = subprocess.Popen(
        [CHROMIUM, *options, f"--user-data-dir={folder}", "--remote-debugging-port=0", url],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def show(url: str, site: _Site, folder: Path) -> Any:
    """Open a page and return what it reports."""
    with browser(url, folder):
        assert site.reported.wait(60), "the page has reported nothing"
    return site.reports[0]


def test_a_page_that_a_function_serves_has_cookies_and_streams(tmp_path: Path, site: _Site) -> None:
    task = package(tmp_path, FUNCTIONS)
    (task / "page.html").write_text((OWN_PAGE % SCRIPT).replace("REPORT", site.address))
    with serving(task, function("page"), function("stream")) as emulator:
        report = show(f"{emulator.address}/url/page/", site, tmp_path / "profile")
    assert sorted(report["cookies"]) == ["seen=1", "session=abc"]
    assert report["visible"] == "seen=1"
    assert report["posted"] == "POST"
    assert "".join(report["pieces"]) == "one two three"
    assert len(report["pieces"]) > 1


def test_a_page_of_another_origin_reaches_only_the_urls_that_allow_it(tmp_path: Path, site: _Site) -> None:
    allowed = {"url": "public", "url_origins": (site.address,)}
    functions = [with_deployment(function(name), **allowed) for name in ("open", "foreign")]
    with serving(package(tmp_path, FUNCTIONS), *functions, function("closed")) as emulator:
        site.page = (FOREIGN_PAGE % SCRIPT).replace("EMULATOR", emulator.address).encode()
        report = show(site.address, site, tmp_path / "profile")
        invoked = {name for name, _ in emulator.lines}
    assert report["open"] == {"method": "PUT", "body": "{}"}
    assert "".join(report["pieces"]) == "one two three"
    assert len(report["pieces"]) > 1
    assert report["/url/closed/"] == "TypeError"
    assert report["/2015-03-31/functions/open/invocations"] == "TypeError"
    assert "closed" not in invoked
