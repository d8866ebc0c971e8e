"""What S3 sends to a function: notifications about objects.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field


class S3Identity(Struct, frozen=True, kw_only=True, rename="camel"):
    principal_id: str


class S3RequestParameters(Struct, frozen=True, kw_only=True, rename="camel"):
    source_ip_address: str | None = field(default=None, name="sourceIPAddress")


class S3ResponseElements(Struct, frozen=True, kw_only=True, rename="camel"):
    """The identifiers that AWS support asks for."""

    request_id: str | None = field(default=None, name="x-amz-request-id")
    id_2: str | None = field(default=None, name="x-amz-id-2")


class S3Bucket(Struct, frozen=True, kw_only=True, rename="camel"):
    name: str
    owner_identity: S3Identity
    arn: str


class S3Object(Struct, frozen=True, kw_only=True, rename="camel"):
    """The object that the notification is about.

    `key` is the object's name, as `get_object` and every other call wants it. In the event it is URL-encoded,
    with `+` for a space: that text is `encoded_key`.
    """

    encoded_key: str = field(name="key")
    size: int | None = None
    """Bytes; absent when the object was deleted."""
    e_tag: str | None = field(default=None, name="eTag")
    """Absent when the object was deleted."""
    version_id: str | None = None
    sequencer: str | None = None
    """Hexadecimal; orders puts and deletes of one key (pad the shorter with zeros on the right)."""

    @property
    def key(self) -> str:
        key = self.encoded_key.replace("+", " ")
        if "%" not in key:
            return key
        from urllib.parse import unquote  # it costs milliseconds that most keys need not pay

        return unquote(key)


class S3Entity(Struct, frozen=True, kw_only=True, rename="camel"):
    schema_version: str = field(name="s3SchemaVersion")
    configuration_id: str
    bucket: S3Bucket
    object: S3Object


class S3RestoreData(Struct, frozen=True, kw_only=True, rename="camel"):
    lifecycle_restoration_expiry_time: datetime
    lifecycle_restore_storage_class: str


class S3GlacierData(Struct, frozen=True, kw_only=True, rename="camel"):
    restore_event_data: S3RestoreData


class S3Record(Struct, frozen=True, kw_only=True, rename="camel"):
    """One notification."""

    event_version: str
    event_source: str
    aws_region: str
    event_time: datetime
    event_name: str
    """`ObjectCreated:Put`, `ObjectRemoved:Delete`, …"""
    user_identity: S3Identity
    request_parameters: S3RequestParameters
    response_elements: S3ResponseElements
    s3: S3Entity
    glacier_event_data: S3GlacierData | None = None
    """Only with `ObjectRestore:Completed`."""


class S3Event(Struct, frozen=True, kw_only=True, rename="camel"):
    records: list[S3Record] = field(name="Records")
