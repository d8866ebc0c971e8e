"""Events of S3: notifications about objects.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field


class S3Identity(Struct, frozen=True, kw_only=True, rename="camel"):
    """User or account."""

    principal_id: str
    """Id of the user that caused the event, or of the bucket's owner."""


class S3RequestParameters(Struct, frozen=True, kw_only=True, rename="camel"):
    """Request that caused the event."""

    source_ip_address: str | None = field(default=None, name="sourceIPAddress")
    """IP address that the request came from."""


class S3ResponseElements(Struct, frozen=True, kw_only=True, rename="camel"):
    """Ids of the request that AWS Support asks for."""

    request_id: str | None = field(default=None, name="x-amz-request-id")
    """Id of the request (`x-amz-request-id`)."""
    id_2: str | None = field(default=None, name="x-amz-id-2")
    """Host that processed the request (`x-amz-id-2`)."""


class S3Bucket(Struct, frozen=True, kw_only=True, rename="camel"):
    """Bucket of the object."""

    name: str
    """Name of the bucket."""
    owner_identity: S3Identity
    """Owner of the bucket."""
    arn: str
    """ARN of the bucket."""


class S3Object(Struct, frozen=True, kw_only=True, rename="camel"):
    """Object that the notification is about."""

    encoded_key: str = field(name="key")
    """Name of the object as the event has it: URL-encoded, with `+` for a space. See `key`."""
    size: int | None = None
    """Size in bytes; `None` when the object was deleted."""
    e_tag: str | None = field(default=None, name="eTag")
    """ETag of the object; `None` when it was deleted."""
    version_id: str | None = None
    """Version of the object; `None` in a bucket without versioning."""
    sequencer: str | None = None
    """Hexadecimal number that orders the events of one key (pad the shorter one with zeros on the right)."""

    @property
    def key(self) -> str:
        """Name of the object, decoded, as `get_object` and every other call takes it."""
        key = self.encoded_key.replace("+", " ")
        if "%" not in key:
            return key
        from urllib.parse import unquote  # it costs milliseconds that most keys need not pay

        return unquote(key)


class S3Entity(Struct, frozen=True, kw_only=True, rename="camel"):
    """Bucket and object of a notification."""

    schema_version: str = field(name="s3SchemaVersion")
    """Version of this format; `1.0`."""
    configuration_id: str
    """Id of the notification configuration of the bucket."""
    bucket: S3Bucket
    """The bucket."""
    object: S3Object
    """The object."""


class S3RestoreData(Struct, frozen=True, kw_only=True, rename="camel"):
    """Restore of an archived object."""

    lifecycle_restoration_expiry_time: datetime
    """When the restored copy expires, in UTC."""
    lifecycle_restore_storage_class: str
    """Storage class that the object was restored from."""


class S3GlacierData(Struct, frozen=True, kw_only=True, rename="camel"):
    """Details of an event of S3 Glacier."""

    restore_event_data: S3RestoreData
    """The restore."""


class S3Record(Struct, frozen=True, kw_only=True, rename="camel"):
    """One notification."""

    event_version: str
    """Version of the notification's format: `2.1`."""
    event_source: str
    """Always `aws:s3`."""
    aws_region: str
    """Region of the bucket."""
    event_time: datetime
    """When S3 finished the request, in UTC."""
    event_name: str
    """`ObjectCreated:Put`, `ObjectRemoved:Delete`, and so on."""
    user_identity: S3Identity
    """User that caused the event."""
    request_parameters: S3RequestParameters
    """Request that caused the event."""
    response_elements: S3ResponseElements
    """Ids that AWS Support asks for."""
    s3: S3Entity
    """Bucket and object."""
    glacier_event_data: S3GlacierData | None = None
    """Details of `ObjectRestore:Completed`; `None` for other events."""


class S3Event(Struct, frozen=True, kw_only=True, rename="camel"):
    """Notifications about objects."""

    records: list[S3Record] = field(name="Records")
    """The notifications; AWS usually sends one for each event."""
