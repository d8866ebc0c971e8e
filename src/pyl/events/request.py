"""What the events of HTTP sources have in common: headers found in any case, query parameters, the body."""

from __future__ import annotations

from binascii import a2b_base64

import msgspec
from msgspec import Struct, field

from pyl.events.payload import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeVar

    T = TypeVar("T")


class Request(Struct, frozen=True, kw_only=True, rename="camel"):
    """An HTTP request. `headers`, `query_string_parameters` and `body` are AWS's; the methods read them."""

    headers: dict[str, str] | None = None
    query_string_parameters: dict[str, str] | None = None
    body: str | None = None
    is_base64_encoded: bool = False

    @property
    def content(self) -> bytes:
        """The body as bytes, decoded from base64 where AWS encoded it; empty without one."""
        if self.body is None:
            return b""
        return a2b_base64(self.body) if self.is_base64_encoded else self.body.encode()

    @property
    def text(self) -> str:
        """The body as text (UTF-8)."""
        return self.content.decode()

    def json(self) -> Any:
        """The body, decoded from JSON."""
        return msgspec.json.decode(self.content)

    def decode(self, kind: type[T]) -> T:
        """The body, decoded from JSON into a type (see `pyl.events.payload.decode`)."""
        return decode(self.content, kind)

    def header(self, name: str, default: str | None = None) -> str | None:
        """The header of that name, whose case does not matter."""
        found = in_any_case(self.headers, name)
        return default if found is None else found

    def query(self, name: str, default: str | None = None) -> str | None:
        """The query parameter of that name."""
        return (self.query_string_parameters or {}).get(name, default)


class MultiValueRequest(Request, frozen=True, kw_only=True):
    """A request whose source can repeat every header and query parameter as a list."""

    http_method: str
    path: str
    multi_value_headers: dict[str, list[str]] | None = None
    multi_value_query_string_parameters: dict[str, list[str]] | None = None

    def header(self, name: str, default: str | None = None) -> str | None:
        """The header of that name, whose case does not matter; the last one if it was sent several times."""
        values = self.header_values(name)
        return values[-1] if values else default

    def header_values(self, name: str) -> list[str]:
        """Every header of that name, whose case does not matter, in the order sent."""
        values = in_any_case(self.multi_value_headers, name)
        if values is not None:
            return values
        value = in_any_case(self.headers, name)
        return [] if value is None else [value]

    def query(self, name: str, default: str | None = None) -> str | None:
        """The query parameter of that name; the last one if there are several."""
        values = self.query_values(name)
        return values[-1] if values else default

    def query_values(self, name: str) -> list[str]:
        """Every query parameter of that name, in the order sent."""
        values = (self.multi_value_query_string_parameters or {}).get(name)
        if values is not None:
            return values
        value = (self.query_string_parameters or {}).get(name)
        return [] if value is None else [value]


class ClientCertificateValidity(Struct, frozen=True, kw_only=True, rename="camel"):
    not_before: str
    not_after: str


class ClientCertificate(Struct, frozen=True, kw_only=True, rename="camel"):
    """The client's certificate, with mutual TLS."""

    client_cert_pem: str
    subject_dn: str = field(name="subjectDN")
    issuer_dn: str = field(name="issuerDN")
    serial_number: str
    validity: ClientCertificateValidity


def in_any_case(headers: Mapping[str, T] | None, name: str) -> T | None:
    """The value of the header of that name, whose case does not matter."""
    if not headers:
        return None
    if name in headers:
        return headers[name]
    wanted = name.lower()
    return next((value for key, value in headers.items() if key.lower() == wanted), None)
