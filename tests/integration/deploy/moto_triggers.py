"""What of triggers moto lacks or forgets; `moto_completed` calls this.

- SES: `DeleteReceiptRule` (https://docs.aws.amazon.com/ses/latest/APIReference/API_DeleteReceiptRule.html).
- Lambda: an alias has a policy of its own, which stays when it moves; moto keeps it with the version, and takes
  statements from the function only.
- API Gateway: an API has a route once.
- S3: notifications that overlap are refused.
- Lambda: a mapping to an alias has the alias's ARN; moto gives that of its version.
"""

from __future__ import annotations

import itertools
from typing import Any

from moto.apigatewayv2.exceptions import APIGatewayV2Error
from moto.apigatewayv2.models import ApiGatewayV2Backend
from moto.awslambda.models import EventSourceMapping, LambdaBackend
from moto.awslambda.policy import Policy
from moto.awslambda.responses import LambdaResponse
from moto.core.responses import EmptyResult
from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeBucket, Notification
from moto.ses.responses import EmailResponse


def complete_receipt_rules() -> None:
    """Rules can be deleted."""

    def delete_receipt_rule(self: EmailResponse) -> EmptyResult:
        rule_set = self.backend.describe_receipt_rule_set(self._get_param("RuleSetName"))
        rule_set.rules = [rule for rule in rule_set.rules if rule["Name"] != self._get_param("RuleName")]
        return EmptyResult()

    EmailResponse.delete_receipt_rule = delete_receipt_rule  # type: ignore[attr-defined]


def _policy(backend: LambdaBackend, name: str, qualifier: str | None) -> Policy:
    """Of the alias, else of the function."""
    function = backend.get_function(name)
    aliases = {alias.name: alias for alias in backend.list_aliases(function.function_name)}
    if qualifier not in aliases:
        return function.policy
    alias = aliases[qualifier]
    if not hasattr(alias, "policy"):
        alias.policy = Policy(function)  # type: ignore[attr-defined]
    policy: Policy = alias.policy  # type: ignore[attr-defined]
    return policy


def complete_alias_policies() -> None:
    """Aliases have policies of their own."""

    def add_permission(self: LambdaBackend, function_name: str, qualifier: str, raw: str) -> dict[str, Any]:
        statement: dict[str, Any] = _policy(self, function_name, qualifier).add_statement(raw, qualifier)[0]
        return statement

    def get_policy(self: LambdaBackend, function_name: str, qualifier: str | None = None) -> str:
        return _policy(self, function_name, qualifier).wire_format()

    def remove_permission(self: LambdaResponse) -> Any:
        name, statement = self.path.split("/")[-3], self.path.split("/")[-1].split("?")[0]
        _policy(self.backend, name, self.querystring.get("Qualifier", [None])[0]).del_statement(statement)
        return 204, {"status": 204}, "{}"

    LambdaBackend.add_permission = add_permission
    LambdaBackend.get_policy = get_policy
    LambdaResponse.remove_permission = remove_permission


def complete_mappings() -> None:
    """Mappings invoke what they were told to."""
    make, update = EventSourceMapping.__init__, LambdaBackend.update_event_source_mapping

    def made(self: EventSourceMapping, spec: dict[str, Any]) -> None:
        make(self, spec)
        if spec["FunctionName"].startswith("arn:"):
            self.function_arn = spec["FunctionName"]

    def updated(self: LambdaBackend, uuid: str, spec: dict[str, Any]) -> Any:
        mapping = update(self, uuid, spec)
        if mapping and spec.get("FunctionName", "").startswith("arn:"):
            mapping.function_arn = mapping.function_name = spec["FunctionName"]
        return mapping

    EventSourceMapping.__init__ = made
    LambdaBackend.update_event_source_mapping = updated


def complete_routes() -> None:
    """A second route with the same key is refused."""
    create = ApiGatewayV2Backend.create_route

    class Conflict(APIGatewayV2Error):
        code = 409

    def created(self: ApiGatewayV2Backend, api_id: str, *arguments: Any, **named: Any) -> Any:
        key = named["route_key"]
        if key in {route.route_key for route in self.get_routes(api_id)}:
            code, message = "ConflictException", f"Route with key {key} already exists for this API"
            raise Conflict(code, message)
        return create(self, api_id, *arguments, **named)

    ApiGatewayV2Backend.create_route = created


def complete_notifications() -> None:
    """Two notifications of the same events and keys are refused."""
    put = FakeBucket.set_notification_configuration

    def checked(self: FakeBucket, notification_config: dict[str, Any] | None) -> None:
        before = self.notification_configuration
        put(self, notification_config)
        entries = self.notification_configuration.cloud_function if self.notification_configuration else []
        if any(_overlap(one, other) for one, other in itertools.combinations(entries, 2)):
            self.notification_configuration = before
            code = "InvalidArgument"
            message = "Configurations overlap. Configurations on the same bucket cannot share a common event type."
            raise S3ClientError(code, message)

    FakeBucket.set_notification_configuration = checked


def _overlap(one: Notification, other: Notification) -> bool:
    """Whether some object and event are for both; events are those that the tests have."""
    (prefix, suffix), (other_prefix, other_suffix) = _keys(one), _keys(other)
    return (
        any(a.split(":")[1] == b.split(":")[1] and ("*" in a + b or a == b) for a in one.events for b in other.events)
        and (prefix.startswith(other_prefix) or other_prefix.startswith(prefix))
        and (suffix.endswith(other_suffix) or other_suffix.endswith(suffix))
    )


def _keys(entry: Notification) -> tuple[str, str]:
    rules = entry.filters.get("S3Key", {}).get("FilterRule", [])
    values = {rule["Name"].lower(): rule["Value"] for rule in (rules if isinstance(rules, list) else [rules])}
    return values.get("prefix", ""), values.get("suffix", "")


def complete_triggers() -> None:
    """All of it."""
    complete_receipt_rules()
    complete_alias_policies()
    complete_mappings()
    complete_routes()
    complete_notifications()
