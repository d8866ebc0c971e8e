"""Permissions to invoke a function: one statement of its policy per trigger.

A statement is added before its source is connected, since sources check whether they may invoke the function, and is
removed after the source is disconnected. So each trigger that pyl connected has a statement, which names its source.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pyl.deploy.aws import AWS, error_code, none_if_absent, paginate

PRINCIPALS: Mapping[str, str] = {
    "eventbridge": "events.amazonaws.com",
    "httpapi": "apigateway.amazonaws.com",
    "s3": "s3.amazonaws.com",
    "schedule": "events.amazonaws.com",
    "ses": "ses.amazonaws.com",
    "sns": "sns.amazonaws.com",
}
"""Services that call Lambda, by type of trigger."""

WITH_ACCOUNT = frozenset({"s3", "ses"})
"""Types whose permissions name the account: ARNs of buckets do not contain it, and SES requires it."""

_SID = re.compile(rf"pyl-({'|'.join(PRINCIPALS)})-[0-9a-f]{{12}}")


@dataclass(frozen=True, kw_only=True)
class Permission:
    """Allows a service to invoke a function on behalf of one source."""

    sid: str
    principal: str
    source_arn: str
    source_account: str | None = None
    """Account ID, if the ARN does not contain it."""

    @property
    def type(self) -> str:
        """Type of the trigger."""
        return self.sid.split("-")[1]

    def grant(self, aws: AWS, name: str, qualifier: str | None) -> None:
        """Add the statement to the function's policy. A different one with the same ID is replaced."""
        client, function = aws.client("lambda"), _function(name, qualifier)
        arguments = {"Action": "lambda:InvokeFunction", "Principal": self.principal, "SourceArn": self.source_arn}
        if self.source_account:
            arguments["SourceAccount"] = self.source_account
        if self.sid in {statement.get("Sid") for statement in read_policy_statements(aws, name, qualifier)}:
            none_if_absent(lambda: client.remove_permission(**function, StatementId=self.sid))
        try:
            client.add_permission(**function, StatementId=self.sid, **arguments)
        except Exception as error:
            if error_code(error) != "ResourceConflictException":  # it exists: an answer was lost
                raise

    def revoke(self, aws: AWS, name: str, qualifier: str | None) -> None:
        """Remove the statement from the function's policy."""
        client, function = aws.client("lambda"), _function(name, qualifier)
        none_if_absent(lambda: client.remove_permission(**function, StatementId=self.sid))


def read_permissions(aws: AWS, name: str, qualifier: str | None) -> Iterator[Permission]:
    """Yield the permissions of pyl's triggers in the policy of a function or its alias."""
    for statement in read_policy_statements(aws, name, qualifier):
        if _SID.fullmatch(statement.get("Sid", "")):
            condition = statement.get("Condition") or {}
            yield Permission(
                sid=statement["Sid"],
                principal=_service(statement),
                source_arn=_condition(condition, "ArnLike"),
                source_account=_condition(condition, "StringEquals") or None,
            )


def read_policy_statements(aws: AWS, name: str, qualifier: str | None) -> list[Mapping[str, Any]]:
    """Return the statements of a function's policy; empty if there is no policy or no function."""
    answer = none_if_absent(lambda: aws.client("lambda").get_policy(**_function(name, qualifier)))
    statements: list[Mapping[str, Any]] = json.loads(answer["Policy"])["Statement"] if answer else []
    return statements


def read_qualifiers(aws: AWS, name: str) -> list[str | None]:
    """Return the qualifiers that triggers may invoke: `None` for the function itself, and its aliases."""
    client = aws.client("lambda")
    aliases = none_if_absent(
        lambda: [alias["Name"] for alias in paginate(client, "list_aliases", "Aliases", FunctionName=name)]
    )
    return [None, *(aliases or [])]


def _function(name: str, qualifier: str | None) -> dict[str, str]:
    return {"FunctionName": name, "Qualifier": qualifier} if qualifier else {"FunctionName": name}


def _service(statement: Mapping[str, Any]) -> str:
    principal = statement.get("Principal")
    return str(principal.get("Service", "")) if isinstance(principal, Mapping) else str(principal)


def _condition(condition: Mapping[str, Any], operator: str) -> str:
    """Return the only value of an operator, whatever the case of its key."""
    return next((str(value) for value in (condition.get(operator) or {}).values()), "")
