"""Access to AWS: sessions, clients, retries, and error messages with hints."""

from __future__ import annotations

import contextlib
import importlib.metadata
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pyl.errors import AWSError, UsageError

Answer = TypeVar("Answer")

_ATTEMPTS = 6
"""Attempts per call, including the first. Pauses double up to 20 s, as in botocore's standard mode."""

_ABSENT = frozenset({"404", "NoSuchEntity", "NotFound", "NotFoundException", "ResourceNotFoundException"})
"""Error codes for a resource that does not exist. Services with other codes pass them to `none_if_absent`."""

HIDDEN = "••••••"
"""Replaces a value that must not be shown."""


class Refused(AWSError):
    """AWS answered with an error. `code` is AWS's error code, such as `AccessDeniedException`."""

    def __init__(self, message: str, *, code: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The account and ARN that credentials belong to."""

    account: str
    """12 digits."""
    arn: str

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn`, `aws-us-gov`, ..."""
        return self.arn.split(":")[1]


@dataclass(kw_only=True)
class AWS:
    """One account in one region, with one client per service. Thread-safe."""

    session: Any
    """A `boto3.Session`, which finds profiles, SSO sessions and roles."""
    region: str
    endpoint: str | None = None
    """URL that replaces AWS for all services without an `AWS_ENDPOINT_URL_<SERVICE>` of their own."""
    attempts: int | None = None
    """Attempts per call, including the first; `None` uses the AWS configuration."""
    pause: Callable[[float], object] = field(default_factory=lambda: threading.Event().wait)
    """Waits for a number of seconds."""
    _clients: dict[str, Any] = field(default_factory=dict)
    _identity: Identity | None = None
    _hidden: set[str] = field(default_factory=set)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service (`lambda`, `iam`, `s3`, ...)."""
        from botocore.config import Config

        with self._lock:  # creating clients is not thread-safe, using them is
            if service not in self._clients:
                config = Config(
                    retries={"mode": "standard", **({} if self.attempts is None else {"max_attempts": self.attempts})},
                    connect_timeout=10,
                    read_timeout=120,
                    user_agent_extra=f"pyl/{importlib.metadata.version('pyl')}",
                    # Virtual-hosted buckets need a wildcard domain, which local servers do not have.
                    s3={"addressing_style": "path"} if self.endpoint else None,
                )
                self._clients[service] = self.session.client(
                    service, region_name=self.region, endpoint_url=self.endpoint, config=config
                )
            return self._clients[service]

    @property
    def identity(self) -> Identity:
        """Identity of the caller, requested once."""
        with self._lock:
            if self._identity is None:
                answer = self.client("sts").get_caller_identity()
                self._identity = Identity(account=answer["Account"], arn=answer["Arn"])
            return self._identity

    @property
    def account(self) -> str:
        """Account ID, 12 digits."""
        return self.identity.account

    def arn(self, service: str, resource: str, *, regional: bool = True) -> str:
        """Return the ARN of a resource in this account: `arn("lambda", "function:notify")`."""
        region = self.region if regional else ""
        return f"arn:{self.identity.partition}:{service}:{region}:{self.account}:{resource}"

    def hide(self, values: Iterable[str]) -> None:
        """Mask these values in error messages: AWS repeats the values that it rejects."""
        with self._lock:
            self._hidden.update(value for value in values if len(value) > 3)

    @contextlib.contextmanager
    def errors(self, doing: str) -> Iterator[None]:
        """Convert errors of boto3 into an `AWSError` with the message "cannot <doing>: ..."."""
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            code = _code(error)
            message = self._without_hidden(error.response["Error"].get("Message") or str(error))
            msg = f"cannot {doing}: AWS says {code}: {message}"
            raise Refused(msg, code=code, hint=_hint(code)) from None  # the cause would show hidden values
        except (BotoCoreError, Boto3Error) as error:
            msg = f"cannot {doing}: {self._without_hidden(str(error))}"
            raise AWSError(msg, hint=_client_hint(error)) from None
        except OSError as error:
            msg = f"cannot {doing}: the connection to AWS failed: {error}"
            raise AWSError(msg, hint="run the command again") from error

    def _without_hidden(self, text: str) -> str:
        for value in sorted(self._hidden, key=len, reverse=True):
            text = text.replace(value, HIDDEN)
        return text


def connect(
    *, region: str | None, environ: Mapping[str, str], profile: str | None = None, attempts: int | None = None
) -> AWS:
    """Connect to AWS with the credentials that boto3 finds.

    Args:
        region: The region; `None` uses that of the environment or the profile.
        environ: Environment variables.
        profile: Profile of the AWS configuration; `None` uses the default one.
        attempts: Attempts per call, including the first; `None` uses the AWS configuration, or else 6.

    Raises:
        UsageError: boto3 is not installed, or no region is set.
        AWSError: The profile does not exist.
    """
    try:
        import boto3
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        msg = f"this command needs {error.name}, which is not installed"
        raise UsageError(msg, hint="pip install 'pyl[deploy]'") from None
    try:
        session = boto3.Session(profile_name=profile, region_name=region)
        resolved_region = region or environ.get("AWS_REGION") or session.region_name
    except BotoCoreError as error:
        msg = f"cannot use the AWS configuration: {error}"
        raise AWSError(msg, hint="list the profiles with `aws configure list-profiles`") from None
    if not resolved_region:
        msg = "no AWS region is set"
        raise UsageError(msg, hint='set region = "eu-central-1" in [tool.pyl], or AWS_REGION in the environment')
    if attempts is None and "AWS_MAX_ATTEMPTS" not in environ:
        attempts = _ATTEMPTS
    return AWS(
        session=session, region=resolved_region, endpoint=environ.get("AWS_ENDPOINT_URL") or None, attempts=attempts
    )


def error_code(error: Exception) -> str | None:
    """Return AWS's error code, or `None` for an error that did not come from AWS."""
    from botocore.exceptions import ClientError

    return _code(error) if isinstance(error, ClientError) else None


def none_if_absent(call: Callable[[], Answer], *absent: str) -> Answer | None:
    """Return the result of a call, or `None` if the resource does not exist.

    Args:
        call: Calls AWS.
        *absent: Further error codes that mean that the resource does not exist.
    """
    from botocore.exceptions import ClientError

    try:
        return call()
    except ClientError as error:
        if _code(error) in _ABSENT or _code(error) in absent:
            return None
        raise


def retry(aws: AWS, call: Callable[[], Answer], is_temporary: Callable[[Exception], bool], *, seconds: float) -> Answer:
    """Repeat a call while its error is temporary. Pauses double up to 8 s.

    This is for errors that botocore does not consider temporary, such as a role that Lambda cannot see yet or a
    function that is still being updated.

    Args:
        aws: Provides the pauses.
        call: Calls AWS.
        is_temporary: Decides whether to repeat the call after an error.
        seconds: Total duration of the pauses after which the error is raised.
    """
    pause, waited = 0.5, 0.0
    while True:
        try:
            return call()
        except Exception as error:
            if not is_temporary(error) or waited >= seconds:
                raise
        aws.pause(pause)
        waited += pause
        pause = min(pause * 2, 8.0)


def paginate(client: Any, operation: str, key: str, **arguments: Any) -> Iterator[Any]:
    """Iterate over all items of a paginated list: `paginate(client, "list_aliases", "Aliases", ...)`."""
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page.get(key, ())


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


_EXPIRED = "the credentials have expired; run `aws sso login` or get new ones, then run the command again"
_HINTS = {
    "AccessDenied": "docs/aws.md lists the permissions that each command needs",
    "AccessDeniedException": "docs/aws.md lists the permissions that each command needs",
    "UnauthorizedOperation": "docs/aws.md lists the permissions that each command needs",
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "RequestExpired": "the credentials have expired, or the clock of this machine is wrong",
    "InvalidClientTokenId": "AWS does not know these credentials; check AWS_PROFILE and AWS_ACCESS_KEY_ID",
    "UnrecognizedClientException": "AWS does not know these credentials; check AWS_PROFILE and AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "the secret access key or the clock of this machine is wrong",
    "CodeStorageExceededException": "delete old versions of functions; they use up the region's 75 GB",
    "ResourceConflictException": "another deployment may be running; run the command again when it has finished",
    "Throttling": "AWS is throttling requests; run the command again",
    "ThrottlingException": "AWS is throttling requests; run the command again",
    "TooManyRequestsException": "AWS is throttling requests; run the command again",
}


def _hint(code: str) -> str | None:
    return _HINTS.get(code)


def _client_hint(error: Exception) -> str | None:
    """Return a hint for an error that occurred before AWS answered."""
    from botocore import exceptions

    if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return "run `aws configure` or `aws sso login`, or set AWS_PROFILE"
    if isinstance(error, exceptions.SSOError | exceptions.TokenRetrievalError | exceptions.UnauthorizedSSOTokenError):
        return "run `aws sso login`"
    if isinstance(error, exceptions.ConnectionError | exceptions.HTTPClientError):
        return "check the network, and AWS_ENDPOINT_URL if it is set, then run the command again"
    return None
