"""The one module that talks to AWS: sessions, clients, how often to try, and what refusals mean to a user."""

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
"""Of one call, the first included; the pauses between double up to 20 s, as botocore's standard mode has it."""

_ABSENT = frozenset({"404", "NoSuchEntity", "NotFound", "NotFoundException", "ResourceNotFoundException"})
"""What services call a thing that is not there; services with another word hand it to `found`."""

HIDDEN = "••••••"
"""Stands where a value is not to be seen."""


class Refused(AWSError):
    """AWS answered with an error; `code` is its own word for it (`AccessDeniedException`)."""

    def __init__(self, message: str, *, code: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Whose credentials these are."""

    account: str
    """12 digits."""
    arn: str

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn`, `aws-us-gov`, ..."""
        return self.arn.split(":")[1]


@dataclass(kw_only=True)
class AWS:
    """One account in one region: clients by service, made at their first use. Threads may share it."""

    session: Any
    """A `boto3.Session`: profile, SSO and roles are found by boto3's own chain."""
    region: str
    endpoint: str | None = None
    """Where every service is instead of at AWS; services with an `AWS_ENDPOINT_URL_<SERVICE>` keep that without it."""
    attempts: int | None = None
    """Of one call, the first included; `None`: as the AWS configuration says."""
    pause: Callable[[float], object] = field(default_factory=lambda: threading.Event().wait)
    """Waits for as many seconds."""
    _clients: dict[str, Any] = field(default_factory=dict)
    _identity: Identity | None = None
    _hidden: set[str] = field(default_factory=set)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def client(self, service: str) -> Any:
        """The boto3 client of a service (`lambda`, `iam`, `s3`, ...)."""
        from botocore.config import Config

        with self._lock:  # making clients is not safe among threads, using them is
            if service not in self._clients:
                config = Config(
                    retries={"mode": "standard", **({} if self.attempts is None else {"max_attempts": self.attempts})},
                    connect_timeout=10,
                    read_timeout=120,
                    user_agent_extra=f"pyl/{importlib.metadata.version('pyl')}",
                    # Buckets as names of hosts need a domain that answers to them, which local servers have not.
                    s3={"addressing_style": "path"} if self.endpoint else None,
                )
                self._clients[service] = self.session.client(
                    service, region_name=self.region, endpoint_url=self.endpoint, config=config
                )
            return self._clients[service]

    @property
    def identity(self) -> Identity:
        """The account and its caller, asked for once."""
        with self._lock:
            if self._identity is None:
                answer = self.client("sts").get_caller_identity()
                self._identity = Identity(account=answer["Account"], arn=answer["Arn"])
            return self._identity

    @property
    def account(self) -> str:
        """12 digits."""
        return self.identity.account

    def arn(self, service: str, resource: str, *, regional: bool = True) -> str:
        """The ARN of a thing of this account: `arn("lambda", "function:notify")`."""
        region = self.region if regional else ""
        return f"arn:{self.identity.partition}:{service}:{region}:{self.account}:{resource}"

    def hide(self, values: Iterable[str]) -> None:
        """Keep these out of the messages of errors: AWS repeats what it refuses."""
        with self._lock:
            self._hidden.update(value for value in values if len(value) > 3)

    @contextlib.contextmanager
    def errors(self, doing: str) -> Iterator[None]:
        """Make what boto3 raises an `AWSError` that says what was being done ("cannot <doing>: ...")."""
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            code, said = _code(error), self._without_hidden(error.response["Error"].get("Message") or str(error))
            msg = f"cannot {doing}: AWS says {code}: {said}"
            raise Refused(msg, code=code, hint=_hint(code)) from None  # the cause would show what is hidden
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
    """Use boto3's chain of credentials, in `region` or else that of the profile.

    Raises:
        UsageError: boto3 is not installed, or nothing names a region.
        AWSError: there is no such profile.
    """
    try:
        import boto3
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        msg = f"this command talks to AWS, for which {error.name} is missing"
        raise UsageError(msg, hint="pip install 'pyl[deploy]'") from None
    try:
        session = boto3.Session(profile_name=profile, region_name=region)
        found = region or environ.get("AWS_REGION") or session.region_name
    except BotoCoreError as error:
        msg = f"cannot use the AWS configuration: {error}"
        raise AWSError(msg, hint="`aws configure list-profiles` shows the profiles") from None
    if not found:
        msg = "no AWS region"
        raise UsageError(msg, hint='write region = "eu-central-1" into [tool.pyl], or set AWS_REGION')
    if attempts is None and "AWS_MAX_ATTEMPTS" not in environ:
        attempts = _ATTEMPTS
    return AWS(session=session, region=found, endpoint=environ.get("AWS_ENDPOINT_URL") or None, attempts=attempts)


def error_code(error: Exception) -> str | None:
    """AWS's word for what it refused; none for other errors."""
    from botocore.exceptions import ClientError

    return _code(error) if isinstance(error, ClientError) else None


def none_if_absent(call: Callable[[], Answer], *absent: str) -> Answer | None:
    """What the call answers, or `None` if the thing asked for does not exist (also in the words of `absent`)."""
    from botocore.exceptions import ClientError

    try:
        return call()
    except ClientError as error:
        if _code(error) in _ABSENT or _code(error) in absent:
            return None
        raise


def retry(aws: AWS, call: Callable[[], Answer], is_temporary: Callable[[Exception], bool], *, seconds: float) -> Answer:
    """Repeat a call, with pauses that double, while its error is one that waiting cures.

    For what botocore does not know to be temporary: a role that Lambda cannot see yet, a function in another update.
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


def iterate_pages(client: Any, operation: str, key: str, **arguments: Any) -> Iterator[Any]:
    """Every element of a list that AWS gives in pages (`pages(client, "list_aliases", "Aliases", ...)`)."""
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page.get(key, ())


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


_EXPIRED = "the credentials have expired: `aws sso login`, or get new ones, and run the command again"
_HINTS = {
    "AccessDenied": "docs/aws.md lists the permissions that each command needs",
    "AccessDeniedException": "docs/aws.md lists the permissions that each command needs",
    "UnauthorizedOperation": "docs/aws.md lists the permissions that each command needs",
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "RequestExpired": "the clock of this machine is wrong, or the credentials have expired",
    "InvalidClientTokenId": "AWS does not know these credentials: look at AWS_PROFILE and AWS_ACCESS_KEY_ID",
    "UnrecognizedClientException": "AWS does not know these credentials: look at AWS_PROFILE and AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "the secret access key is wrong, or the clock of this machine",
    "CodeStorageExceededException": "remove old versions of functions: they fill the region's 75 GB",
    "ResourceConflictException": "another deployment may be at work: run the command again when it is done",
    "Throttling": "AWS is refusing calls that come too fast: run the command again",
    "ThrottlingException": "AWS is refusing calls that come too fast: run the command again",
    "TooManyRequestsException": "AWS is refusing calls that come too fast: run the command again",
}


def _hint(code: str) -> str | None:
    return _HINTS.get(code)


def _client_hint(error: Exception) -> str | None:
    """What to do about an error that arose on this side of the connection."""
    from botocore import exceptions

    if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return "`aws configure`, `aws sso login`, or set AWS_PROFILE"
    if isinstance(error, exceptions.SSOError | exceptions.TokenRetrievalError | exceptions.UnauthorizedSSOTokenError):
        return "`aws sso login`"
    if isinstance(error, exceptions.ConnectionError | exceptions.HTTPClientError):
        return "look at the network, and at AWS_ENDPOINT_URL if it is set; then run the command again"
    return None
