"""The URL of a function, with the permissions without which it answers nobody."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pyl.deploy.aws import AWS, error_code, none_if_absent
from pyl.deploy.plan import Change, Reference, Resource
from pyl.deploy.target import Target
from pyl.progress import Progress

_AUTHENTICATION = {"public": "NONE", "iam": "AWS_IAM"}

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
"""What a public URL needs since October 2025, by statement: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html

The second one allows invocations by the URL only. A URL for signed requests needs none: the callers' own policies
allow both actions.
"""


@dataclass(frozen=True, kw_only=True)
class URLState:
    """A URL as it is."""

    configuration: Mapping[str, Any]
    """Empty where there is none, but permissions that an interrupted run made."""
    permissions: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class URLResource(Resource[URLState]):
    """The URL of a function, or of its alias."""

    kind: ClassVar[str] = "function URL"

    target: Target

    @property
    def name(self) -> str:
        """The function's, with its alias."""
        return self.target.invoked.name

    @property
    def dependencies(self) -> tuple[Reference, ...]:
        """The function or the alias."""
        return (self.target.invoked,)

    @property
    def _function(self) -> dict[str, str]:
        return {"FunctionName": self.target.name, **self.target.qualification}

    @property
    def _permissions(self) -> frozenset[str]:
        return frozenset(PERMISSIONS) if self.target.settings.url == "public" else frozenset()

    def read(self, aws: AWS) -> URLState | None:
        """Its configuration, and which of pyl's permissions are there."""
        client = aws.client("lambda")
        configuration = none_if_absent(lambda: client.get_function_url_config(**self._function))
        answer = none_if_absent(lambda: client.get_policy(**self._function))
        statements = json.loads(answer["Policy"])["Statement"] if answer else ()
        permissions = frozenset(PERMISSIONS) & {statement.get("Sid") for statement in statements}
        if configuration is None and not permissions:
            return None
        return URLState(configuration=configuration or {}, permissions=permissions)

    def changes(self, state: URLState | None) -> Sequence[Change]:
        """Who may call, how it answers, and the permissions."""
        old, desired = state.configuration if state else {}, self._desired()
        present = {
            "url": {text: word for word, text in _AUTHENTICATION.items()}.get(old.get("AuthType", "")),
            "url_mode": old["InvokeMode"].upper() if old.get("InvokeMode") else None,
            "url_origins": (old.get("Cors") or {}).get("AllowOrigins"),
        }
        found_changes = [
            Change(field=key, old=present[key], new=value) for key, value in desired.items() if present[key] != value
        ]
        permissions = state.permissions if state else frozenset()
        if permissions != self._permissions:
            old_names, new_names = sorted(permissions) or None, sorted(self._permissions) or None
            found_changes.append(Change(field="permissions", old=old_names, new=new_names))
        return found_changes

    def apply(self, aws: AWS, state: URLState | None, progress: Progress) -> None:  # noqa: ARG002
        """The URL first: without permissions it lets nobody in."""
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
            self._permit(client, statement)
        for statement in sorted(permissions - self._permissions):
            self._forbid(client, statement)

    def remove(self, aws: AWS, state: URLState) -> None:
        """Close it, then take it away."""
        client = aws.client("lambda")
        for statement in sorted(state.permissions):
            self._forbid(client, statement)
        none_if_absent(lambda: client.delete_function_url_config(**self._function))

    def outcome(self, aws: AWS) -> Mapping[str, str]:
        """The URL."""
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
        arguments: dict[str, Any] = {"AuthType": _AUTHENTICATION[settings.url or "iam"]}
        if settings.url_mode is not None:
            arguments["InvokeMode"] = settings.url_mode
        if settings.url_origins is not None:
            origins = {"AllowOrigins": list(settings.url_origins), "AllowMethods": ["*"], "AllowHeaders": ["*"]}
            arguments["Cors"] = origins if settings.url_origins else {}
        return arguments

    def _permit(self, client: Any, statement: str) -> None:
        try:
            client.add_permission(**self._function, StatementId=statement, **PERMISSIONS[statement])
        except Exception as error:
            if error_code(error) != "ResourceConflictException":  # it is there: an answer was lost
                raise

    def _forbid(self, client: Any, statement: str) -> None:
        none_if_absent(lambda: client.remove_permission(**self._function, StatementId=statement))
