"""TLS contexts trust the certificate authorities of the machine that they are used on, also when made at import."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from integration.image.lambda_environment import Environment
from integration.image.packages import CaptureHandlers

SOURCE = """
import os, socket, ssl
at_import = ssl.create_default_context()
def handler(event, context) -> None:
    found = []
    for made in (at_import, ssl.create_default_context()):
        try:
            with socket.create_connection(("127.0.0.1", event)) as plain:
                with made.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
                    found.append(secure.recv(5).decode())
        except ssl.SSLCertVerificationError as error:
            found.append(error.verify_message)
    return [*found, len(at_import.get_ca_certs()), os.environ.get("SSL_CERT_FILE")]
"""
BUNDLE = "/etc/pki/tls/certs/ca-bundle.crt"


@dataclass(frozen=True)
class Server:
    """Says hello over TLS to all who trust `authority`, the folder of a bundle as on Amazon Linux."""

    port: int
    authority: Path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("authority")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now.replace(year=2100))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "ca-bundle.crt").write_bytes(pem)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(pem + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_serve, args=(listening, context))
        thread.start()
        yield Server(listening.getsockname()[1], folder)
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def _serve(listening: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection:
            try:
                with context.wrap_socket(connection, server_side=True) as secure:
                    secure.sendall(b"hello")
            except OSError:
                continue


@pytest.fixture
def nowhere(tmp_path: Path) -> dict[str, Path]:
    """Hides the places where this machine's OpenSSL looks."""
    empty = tmp_path / "empty"
    empty.mkdir()
    default = ssl.get_default_verify_paths()
    return {
        str(Path(path).parent): empty for path in (default.openssl_cafile, default.openssl_capath, "/etc/ssl/certs")
    }


@pytest.mark.parametrize("plain", [False, True], ids=["restored", "plain"])
def test_the_bundle_of_amazon_linux_is_found(
    captured: CaptureHandlers, run: type[Environment], server: Server, nowhere: dict[str, Path], plain: bool
) -> None:
    package, result = captured(SOURCE)
    assert result.kind == "full"
    binds = {**nowhere, "/etc/pki/tls/certs": server.authority}
    with run(package, plain=plain, binds=binds) as environment:
        assert environment.invoke(server.port) == ["hello", "hello", 1, BUNDLE]
        assert environment.notices == []


def test_the_users_own_bundle_comes_first(
    captured: CaptureHandlers, run: type[Environment], server: Server, nowhere: dict[str, Path]
) -> None:
    package, _ = captured(SOURCE)
    own = {"SSL_CERT_FILE": "/opt/own/ca-bundle.crt"}
    with run(package, environment=own, binds={**nowhere, "/opt/own": server.authority}) as environment:
        assert environment.invoke(server.port) == ["hello", "hello", 1, own["SSL_CERT_FILE"]]


def test_nothing_of_the_build_machine_is_trusted(
    captured: CaptureHandlers, run: type[Environment], server: Server, nowhere: dict[str, Path]
) -> None:
    package, _ = captured(SOURCE)
    with run(package, binds=nowhere) as environment:
        *answers, authorities, variable = environment.invoke(server.port)
    assert answers == ["self-signed certificate", "self-signed certificate"]
    assert (authorities, variable) == (0, None)
