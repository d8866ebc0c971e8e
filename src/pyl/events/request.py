"""Base classes of events that are HTTP requests: headers, query parameters, body, client certificate."""

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
    """HTTP request. The fields hold what AWS sends; the methods decode it."""

    headers: dict[str, str] | None = None
    """Headers by name, as sent; `None` without any. See `header`."""
    query_string_parameters: dict[str, str] | None = None
    """Query parameters by name; `None` without any. See `query`."""
    body: str | None = None
    """Body as sent: text, or base64 if `is_base64_encoded`; `None` without one. The methods decode it."""
    is_base64_encoded: bool = False
    """Whether `body` is base64, as it is for binary content."""

    @property
    def content(self) -> bytes:
        """Body as bytes, decoded from base64 if necessary; empty without one."""
        if self.body is None:
            return b""
        return a2b_base64(self.body) if self.is_base64_encoded else self.body.encode()

    @property
    def text(self) -> str:
        """Body as text, decoded from UTF-8."""
        return self.content.decode()

    def json(self) -> Any:
        """Return the body, decoded from JSON.

        Raises:
            msgspec.DecodeError: It is not JSON.
        """
        return msgspec.json.decode(self.content)

    def decode(self, kind: type[T]) -> T:
        """Return the body, decoded from JSON and converted into a type.

        Args:
            kind: A struct, dataclass, `TypedDict`, pydantic model or other annotation; see `pyl.events.payload.decode`.

        Raises:
            msgspec.ValidationError: The JSON does not fit the type (a pydantic model raises its own error).
            msgspec.DecodeError: It is not JSON.
        """
        return decode(self.content, kind)

    def header(self, name: str, default: str | None = None) -> str | None:
        """Return a header, whatever the case of its name."""
        value = in_any_case(self.headers, name)
        return default if value is None else value

    def query(self, name: str, default: str | None = None) -> str | None:
        """Return a query parameter."""
        return (self.query_string_parameters or {}).get(name, default)


class MultiValueRequest(Request, frozen=True, kw_only=True):
    """HTTP request of a source that also sends repeated headers and query parameters as lists."""

    http_method: str
    """HTTP method: `GET`."""
    path: str
    """Path of the request."""
    multi_value_headers: dict[str, list[str]] | None = None
    """All values of each header, by name; `None` if the source sends none. See `header_values`."""
    multi_value_query_string_parameters: dict[str, list[str]] | None = None
    """All values of each query parameter, by name; `None` without any. See `query_values`."""

    def header(self, name: str, default: str | None = None) -> str | None:
        """Return a header, whatever the case of its name; the last value if it was sent several times."""
        values = self.header_values(name)
        return values[-1] if values else default

    def header_values(self, name: str) -> list[str]:
        """Return all values of a header, whatever the case of its name, in the order sent."""
        values = in_any_case(self.multi_value_headers, name)
        if values is not None:
            return values
        value = in_any_case(self.headers, name)
        return [] if value is None else [value]

    def query(self, name: str, default: str | None = None) -> str | None:
        """Return a query parameter; the last value if it was sent several times."""
        values = self.query_values(name)
        return values[-1] if values else default

    def query_values(self, name: str) -> list[str]:
        """Return all values of a query parameter, in the order sent."""
        values = (self.multi_value_query_string_parameters or {}).get(name)
        if values is not None:
            return values
        value = (self.query_string_parameters or {}).get(name)
        return [] if value is None else [value]


class ClientCertificateValidity(Struct, frozen=True, kw_only=True, rename="camel"):
    """Period in which a client certificate is valid."""

    not_before: str
    """Start of the period: `May 28 12:30:02 2019 GMT`."""
    not_after: str
    """End of the period, in the same form."""


class ClientCertificate(Struct, frozen=True, kw_only=True, rename="camel"):
    """Certificate of the client, with mutual TLS."""

    client_cert_pem: str
    """The certificate in PEM."""
    subject_dn: str = field(name="subjectDN")
    """Distinguished name of its subject."""
    issuer_dn: str = field(name="issuerDN")
    """Distinguished name of its issuer."""
    serial_number: str
    """Its serial number."""
    validity: ClientCertificateValidity
    """Period in which it is valid."""


def in_any_case(headers: Mapping[str, T] | None, name: str) -> T | None:
    """Return the header of a name, whatever the case of either; `None` without one."""
    if not headers:
        return None
    if name in headers:
        return headers[name]
    lower_name = name.lower()
    return next((value for key, value in headers.items() if key.lower() == lower_name), None)
