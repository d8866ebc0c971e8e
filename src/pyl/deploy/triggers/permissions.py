"""Who may invoke a function: the statements of its own policy, one per trigger, which are also how pyl knows its own.

A statement is made before its trigger is wired, since sources try whether they may, and removed after it is
unwired. So every trigger that pyl wired has a statement, which names the source.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pyl.deploy.aws import AWS, error_code, iterate_pages, none_if_absent

_SID = re.compile(r"pyl-(eventbridge|httpapi|s3|schedule|ses|sns)-[0-9a-f]{12}")


@dataclass(frozen=True, kw_only=True)
class Permission:
    """A service may invoke a function on behalf of one source."""

    sid: str
    principal: str
    source_arn: str
    source_account: str | None = None
    """Where the ARN does not hold the account."""

    @property
    def type(self) -> str:
        """The type of the trigger."""
        return self.sid.split("-")[1]

    def grant(self, aws: AWS, name: str, qualifier: str | None) -> None:
        """Say so in the function's policy; a statement of the same name that says something else is replaced."""
        client, function = aws.client("lambda"), _function(name, qualifier)
        arguments = {"Action": "lambda:InvokeFunction", "Principal": self.principal, "SourceArn": self.source_arn}
        if self.source_account:
            arguments["SourceAccount"] = self.source_account
        if self.sid in {statement.get("Sid") for statement in policy_statements(aws, name, qualifier)}:
            none_if_absent(lambda: client.remove_permission(**function, StatementId=self.sid))
        try:
            client.add_permission(**function, StatementId=self.sid, **arguments)
        except Exception as error:
            if error_code(error) != "ResourceConflictException":  # it is there: an answer was lost
                raise

    def revoke(self, aws: AWS, name: str, qualifier: str | None) -> None:
        """Take the statement out of the policy."""
        client, function = aws.client("lambda"), _function(name, qualifier)
        none_if_absent(lambda: client.remove_permission(**function, StatementId=self.sid))


def permissions(aws: AWS, name: str, qualifier: str | None) -> Iterator[Permission]:
    """Those of pyl's triggers in the policy of a function, or of its alias."""
    for statement in policy_statements(aws, name, qualifier):
        if _SID.fullmatch(statement.get("Sid", "")):
            condition = statement.get("Condition") or {}
            yield Permission(
                sid=statement["Sid"],
                principal=_service(statement),
                source_arn=_condition(condition, "ArnLike"),
                source_account=_condition(condition, "StringEquals") or None,
            )


def policy_statements(aws: AWS, name: str, qualifier: str | None) -> list[Mapping[str, Any]]:
    """What the policy says; nothing where there is no policy, or no function."""
    answer = none_if_absent(lambda: aws.client("lambda").get_policy(**_function(name, qualifier)))
    statements: list[Mapping[str, Any]] = json.loads(answer["Policy"])["Statement"] if answer else []
    return statements


def qualifiers(aws: AWS, name: str) -> list[str | None]:
    """What triggers may invoke: the function itself, and each of its aliases."""
    client = aws.client("lambda")
    aliases = none_if_absent(
        lambda: [alias["Name"] for alias in iterate_pages(client, "list_aliases", "Aliases", FunctionName=name)]
    )
    return [None, *(aliases or [])]


def _function(name: str, qualifier: str | None) -> dict[str, str]:
    return {"FunctionName": name, "Qualifier": qualifier} if qualifier else {"FunctionName": name}


def _service(statement: Mapping[str, Any]) -> str:
    principal = statement.get("Principal")
    return str(principal.get("Service", "")) if isinstance(principal, Mapping) else str(principal)


def _condition(condition: Mapping[str, Any], operator: str) -> str:
    """The only value of an operator, whatever the case of its key."""
    return next((str(value) for value in (condition.get(operator) or {}).values()), "")
