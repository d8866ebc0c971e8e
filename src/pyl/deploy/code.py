"""Upload of packages to Lambda: in the API call up to its limit, through S3 above it."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyl.deploy.aws import AWS, Refused, error_code, none_if_absent
from pyl.deploy.tags import tags_to_list
from pyl.packaging.commands import DIRECT_UPLOAD_LIMIT
from pyl.progress import Progress

_EXPIRY_DAYS = 30
"""Days until objects in pyl's bucket expire. Lambda has its own copy of each package."""

_PART_BYTES = 16 * 1024 * 1024
"""Size of the parts of a multipart upload."""


@dataclass(kw_only=True)
class Code:
    """A package file. One object is shared by all functions that use it, so that it is uploaded once."""

    path: Path
    project: str
    """Folder in the bucket."""
    bucket: str | None = None
    """Name of the bucket; `None` uses pyl's own, which is created if needed."""
    sha256: str = field(init=False)
    """SHA-256 digest in Base64, as Lambda reports it."""
    size: int = field(init=False)
    _uploaded: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        with self.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
        self.sha256 = base64.b64encode(digest.digest()).decode()
        self.size = self.path.stat().st_size
        self._key = f"{self.project}/{digest.hexdigest()}.zip"

    @property
    def short(self) -> str | None:
        """The first digits of the hash, for display."""
        return short_hash(self.sha256)

    def arguments(self, aws: AWS, progress: Progress) -> dict[str, Any]:
        """Return `ZipFile`, or upload the package and return `S3Bucket` and `S3Key`."""
        if self.size <= DIRECT_UPLOAD_LIMIT:
            return {"ZipFile": self.path.read_bytes()}
        with self._lock:
            if not self._uploaded:
                self._uploaded = self._upload(aws, progress)
            return dict(self._uploaded)

    def remove_upload(self, aws: AWS) -> None:
        """Delete the uploaded object. Functions that use the package have their own copy."""
        if self.size > DIRECT_UPLOAD_LIMIT:
            location = {"Bucket": self.bucket or managed_bucket_name(aws), "Key": self._key}
            none_if_absent(
                lambda: aws.client("s3").delete_object(**location, ExpectedBucketOwner=aws.account), "NoSuchBucket"
            )

    def _upload(self, aws: AWS, progress: Progress) -> dict[str, str]:
        from boto3.s3.transfer import TransferConfig

        bucket = self.bucket or _managed_bucket(aws)
        s3 = aws.client("s3")
        # Names of buckets are global: never upload to a bucket of another account.
        location = {"Bucket": bucket, "Key": self._key, "ExpectedBucketOwner": aws.account}
        present = none_if_absent(lambda: s3.head_object(**location))
        if present is None or present["ContentLength"] != self.size:
            s3.upload_file(
                str(self.path),
                bucket,
                self._key,
                ExtraArgs={"ExpectedBucketOwner": aws.account, "ContentType": "application/zip"},
                Config=TransferConfig(multipart_threshold=_PART_BYTES, multipart_chunksize=_PART_BYTES),
                Callback=_report_upload(self.size, progress),
            )
        return {"S3Bucket": bucket, "S3Key": self._key}


def short_hash(sha256: str | None) -> str | None:
    """Return the first 12 hexadecimal digits of a Base64 hash."""
    return base64.b64decode(sha256).hex()[:12] if sha256 else None


def managed_bucket_name(aws: AWS) -> str:
    """Return the name of the bucket that pyl creates per account and region."""
    return f"pyl-packages-{aws.account}-{aws.region}"


def _report_upload(size: int, progress: Progress) -> Callable[[int], None]:
    """Return a callback that reports upload progress. boto3 calls it from several threads."""
    sent, lock = 0, threading.Lock()

    def count(more: int) -> None:
        nonlocal sent
        with lock:
            sent += more
            progress.detail(f"{sent / 1e6:.1f} of {size / 1e6:.1f} MB uploaded")

    return count


def _managed_bucket(aws: AWS) -> str:
    """Create the bucket if it does not exist: private, with objects that expire."""
    name, s3 = managed_bucket_name(aws), aws.client("s3")
    owner = {"Bucket": name, "ExpectedBucketOwner": aws.account}
    try:
        exists = none_if_absent(lambda: s3.head_bucket(**owner), "NoSuchBucket") is not None
    except Exception as error:
        if error_code(error) != "403":
            raise
        msg = f"the bucket {name} belongs to another account, or these credentials have no access to it"
        raise Refused(msg, code="403", hint='set bucket = "..." in [tool.pyl] to use another bucket') from None
    if not exists:
        location = {"CreateBucketConfiguration": {"LocationConstraint": aws.region}}
        try:
            s3.create_bucket(Bucket=name, **({} if aws.region == "us-east-1" else location))
        except Exception as error:
            if error_code(error) != "BucketAlreadyOwnedByYou":  # the answer to an earlier attempt was lost
                raise
    if not exists or none_if_absent(lambda: s3.get_bucket_lifecycle_configuration(**owner), _NO_LIFECYCLE) is None:
        _configure(s3, owner)
    return name


_NO_LIFECYCLE = "NoSuchLifecycleConfiguration"


def _configure(s3: Any, owner: dict[str, str]) -> None:
    """Configure the bucket. The lifecycle comes last: its presence shows that the configuration is complete."""
    s3.put_public_access_block(
        **owner,
        PublicAccessBlockConfiguration=dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        ),
    )
    s3.put_bucket_tagging(**owner, Tagging={"TagSet": tags_to_list({"pyl:managed": "packages"})})
    rule = {
        "ID": "pyl-expire-packages",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "Expiration": {"Days": _EXPIRY_DAYS},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    }
    s3.put_bucket_lifecycle_configuration(**owner, LifecycleConfiguration={"Rules": [rule]})
