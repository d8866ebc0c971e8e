"""A package on its way to Lambda: inline while the API takes it so, by S3 above that."""

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
"""In pyl's own bucket; Lambda copies a package when a function gets it."""

_PART_BYTES = 16 * 1024 * 1024


@dataclass(kw_only=True)
class Code:
    """A package file. One object serves all functions that get it, and uploads it once."""

    path: Path
    project: str
    """Folder in the bucket."""
    bucket: str | None = None
    """`None`: pyl's own, made when it is needed."""
    sha256: str = field(init=False)
    """As Lambda tells it: Base64."""
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
        """Enough of the hash to tell packages apart."""
        return short_hash(self.sha256)

    def arguments(self, aws: AWS, progress: Progress) -> dict[str, Any]:
        """`ZipFile`, or `S3Bucket` and `S3Key` once the package is there."""
        if self.size <= DIRECT_UPLOAD_LIMIT:
            return {"ZipFile": self.path.read_bytes()}
        with self._lock:
            if not self._uploaded:
                self._uploaded = self._upload(aws, progress)
            return dict(self._uploaded)

    def remove_upload(self, aws: AWS) -> None:
        """Take away what went by S3: functions that got the package have a copy."""
        if self.size > DIRECT_UPLOAD_LIMIT:
            place = {"Bucket": self.bucket or managed_bucket_name(aws), "Key": self._key}
            none_if_absent(
                lambda: aws.client("s3").delete_object(**place, ExpectedBucketOwner=aws.account), "NoSuchBucket"
            )

    def _upload(self, aws: AWS, progress: Progress) -> dict[str, str]:
        from boto3.s3.transfer import TransferConfig

        bucket = self.bucket or _managed_bucket(aws)
        s3 = aws.client("s3")
        # Someone else may have taken a bucket's name: nothing goes to a bucket of another account.
        place = {"Bucket": bucket, "Key": self._key, "ExpectedBucketOwner": aws.account}
        present = none_if_absent(lambda: s3.head_object(**place))
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
    """The first bytes of a Base64 hash in hexadecimal digits, as build tools show them."""
    return base64.b64decode(sha256).hex()[:12] if sha256 else None


def managed_bucket_name(aws: AWS) -> str:
    """The bucket that pyl makes for the account and region."""
    return f"pyl-packages-{aws.account}-{aws.region}"


def _report_upload(size: int, progress: Progress) -> Callable[[int], None]:
    """Tells how much is uploaded; called by several threads."""
    sent, lock = 0, threading.Lock()

    def count(more: int) -> None:
        nonlocal sent
        with lock:
            sent += more
            progress.detail(f"{sent / 1e6:.1f} of {size / 1e6:.1f} MB uploaded")

    return count


def _managed_bucket(aws: AWS) -> str:
    """Make the bucket where there is none; private, and emptied of what is old."""
    name, s3 = managed_bucket_name(aws), aws.client("s3")
    owner = {"Bucket": name, "ExpectedBucketOwner": aws.account}
    try:
        exists = none_if_absent(lambda: s3.head_bucket(**owner), "NoSuchBucket") is not None
    except Exception as error:
        if error_code(error) != "403":
            raise
        msg = f"the bucket {name} is not this account's, or not to be used with these credentials"
        raise Refused(msg, code="403", hint='name another one: bucket = "..." in [tool.pyl]') from None
    if not exists:
        place = {} if aws.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": aws.region}}
        try:
            s3.create_bucket(Bucket=name, **place)
        except Exception as error:
            if error_code(error) != "BucketAlreadyOwnedByYou":  # the answer to an earlier try was lost
                raise
    if not exists or none_if_absent(lambda: s3.get_bucket_lifecycle_configuration(**owner), _NO_LIFECYCLE) is None:
        _configure(s3, owner)
    return name


_NO_LIFECYCLE = "NoSuchLifecycleConfiguration"


def _configure(s3: Any, owner: dict[str, str]) -> None:
    """The lifecycle comes last: that it is there says that the rest is."""
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
