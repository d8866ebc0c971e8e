"""Encodes messages of `application/vnd.amazon.eventstream`, the format of streamed responses of the Invoke API.

https://smithy.io/2.0/aws/amazon-eventstream.html
"""

from __future__ import annotations

import struct
import zlib

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7
"""Type number of header values that are strings."""


def encode_event(event_type: str, content_type: str, payload: bytes) -> bytes:
    """Return an event as one message.

    A message consists of the two lengths, their CRC-32, headers, payload, and the CRC-32 of all before it.
    """
    headers = b"".join(
        _header(name, text)
        for name, text in (
            (":event-type", event_type),
            (":content-type", content_type),
            (":message-type", "event"),
        )
    )
    lengths = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    message = lengths + struct.pack(">I", zlib.crc32(lengths)) + headers + payload
    return message + struct.pack(">I", zlib.crc32(message))


def _header(name: str, text: str) -> bytes:
    key, value = name.encode(), text.encode()
    return struct.pack(">B", len(key)) + key + struct.pack(">BH", _STRING, len(value)) + value
