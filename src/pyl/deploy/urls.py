"""Function URLs, with the permissions that make them accessible."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pyl.deploy.aws import AWS, error_code, none_if_absent
from pyl.deploy.plan import Change, Reference, Resource
from pyl.deploy.target import Target
from pyl.progress import Progress

AUTHENTICATION = {"public": "NONE", "iam": "AWS_IAM"}
"""Lambda's `AuthType` by the value of `url`."""

PERMISSIONS: Mapping[str, Mapping[str, Any]] = {
    "pyl-function-url": {
        "Action": "lambda:InvokeFunctionUrl",
        "Principal": "*",
        "FunctionUrlAuthType": "NONE",
    },
    "pyl-function-url-invoke": {
        "Action": "lambda:InvokeFunction",
        "Principal": "*",
        "InvokedViaFunctionUrl": True,
    },
}
"""Permissions for public URLs, required since October 2025, by statement ID.

https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html

The second one allows invocations through the URL only. URLs with IAM authentication need none: callers are allowed by
their own policies.
"""


@dataclass(frozen=True, kw_only=True)
class URLState:
    """A function URL in AWS."""

    configuration: Mapping[str, Any]
    """Empty if an interrupted run left only permissions."""
    permissions: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class URLResource(Resource[URLState]):
    """The URL of a function, or of its alias."""

    kind: ClassVar[str] = "function URL"

    target: Target

    @property
    def name(self) -> str:
        """Name of the function, with its alias."""
        return self.target.invoked.name

    @property
    def dependencies(self) -> tuple[Reference, ...]:
        """The function or its alias."""
        return (self.target.invoked,)

    @property
    def _function(self) -> dict[str, str]:
        return {"FunctionName": self.target.name, **self.target.qualification}

    @property
    def _permissions(self) -> frozenset[str]:
        return frozenset(PERMISSIONS) if self.target.settings.url == "public" else frozenset()

    def read(self, aws: AWS) -> URLState | None:
        """Return the URL's configuration, and which of pyl's permissions exist."""
        client = aws.client("lambda")
        configuration = none_if_absent(lambda: client.get_function_url_config(**self._function))
        answer = none_if_absent(lambda: client.get_policy(**self._function))
        statements = json.loads(answer["Policy"])["Statement"] if answer else ()
        permissions = frozenset(PERMISSIONS) & {statement.get("Sid") for statement in statements}
        if configuration is None and not permissions:
            return None
        return URLState(configuration=configuration or {}, permissions=permissions)

    def changes(self, state: URLState | None) -> Sequence[Change]:
        """Return changes of authentication, invoke mode, origins and permissions."""
        old, desired = state.configuration if state else {}, self._desired()
        present = {
            "url": {text: word for word, text in AUTHENTICATION.items()}.get(old.get("AuthType", "")),
            "url_mode": old["InvokeMode"].upper() if old.get("InvokeMode") else None,
            "url_origins": (old.get("Cors") or {}).get("AllowOrigins"),
        }
        changes = [
            Change(field=key, old=present[key], new=value) for key, value in desired.items() if present[key] != value
        ]
        permissions = state.permissions if state else frozenset()
        if permissions != self._permissions:
            old_names, new_names = sorted(permissions) or None, sorted(self._permissions) or None
            changes.append(Change(field="permissions", old=old_names, new=new_names))
        return changes

    def apply(self, aws: AWS, state: URLState | None, progress: Progress) -> None:  # noqa: ARG002
        """Create or update the URL, then its permissions: without them, nobody has access."""
        client = aws.client("lambda")
        if state is None or not state.configuration:
            try:
                client.create_function_url_config(**self._function, **self._arguments())
            except Exception as error:
                if error_code(error) != "ResourceConflictException":
                    raise
                client.update_function_url_config(**self._function, **self._arguments())
        elif any(change.field != "permissions" for change in self.changes(state)):
            client.update_function_url_config(**self._function, **self._arguments())
        permissions = state.permissions if state else frozenset()
        for statement in sorted(self._permissions - permissions):
            self._add_permission(client, statement)
        for statement in sorted(permissions - self._permissions):
            self._remove_permission(client, statement)

    def remove(self, aws: AWS, state: URLState) -> None:
        """Remove the permissions, then the URL."""
        client = aws.client("lambda")
        for statement in sorted(state.permissions):
            self._remove_permission(client, statement)
        none_if_absent(lambda: client.delete_function_url_config(**self._function))

    def outcome(self, aws: AWS) -> Mapping[str, str]:
        """Return the URL."""
        configuration = none_if_absent(lambda: aws.client("lambda").get_function_url_config(**self._function))
        return {"url": configuration["FunctionUrl"]} if configuration else {}

    def _desired(self) -> dict[str, object]:
        settings = self.target.settings
        desired: dict[str, object] = {"url": settings.url}
        if settings.url_mode is not None:
            desired["url_mode"] = settings.url_mode
        if settings.url_origins is not None:
            desired["url_origins"] = list(settings.url_origins) or None
        return desired

    def _arguments(self) -> dict[str, Any]:
        settings = self.target.settings
        arguments: dict[str, Any] = {"AuthType": AUTHENTICATION[settings.url or "iam"]}
        if settings.url_mode is not None:
            arguments["InvokeMode"] = settings.url_mode
        if settings.url_origins is not None:
            arguments["Cors"] = cors(settings.url_origins) if settings.url_origins else {}
        return arguments

    def _add_permission(self, client: Any, statement: str) -> None:
        try:
            client.add_permission(**self._function, StatementId=statement, **PERMISSIONS[statement])
        except Exception as error:
            if error_code(error) != "ResourceConflictException":  # it exists: an answer was lost
                raise

    def _remove_permission(self, client: Any, statement: str) -> None:
        none_if_absent(lambda: client.remove_permission(**self._function, StatementId=statement))


def cors(origins: Sequence[str]) -> dict[str, list[str]]:
    """Return the CORS configuration that allows these origins all methods and headers."""
    return {"AllowOrigins": list(origins), "AllowMethods": ["*"], "AllowHeaders": ["*"]}
