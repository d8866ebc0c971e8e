"""Receipt rules of SES, which pass incoming mail to functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pyl.deploy.aws import AWS, error_code, none_if_absent
from pyl.deploy.target import Target
from pyl.deploy.triggers import sources
from pyl.deploy.triggers.base import Settings, invokes
from pyl.deploy.triggers.push import PushTrigger
from pyl.errors import AWSError
from pyl.project.config.triggers import SESTrigger

_NO_RULE = ("RuleDoesNotExist", "RuleDoesNotExistException")
_NO_SET = ("RuleSetDoesNotExist", "RuleSetDoesNotExistException")
_EXISTS = ("AlreadyExists", "AlreadyExistsException")


@dataclass(frozen=True, kw_only=True)
class ReceiptRuleResource(PushTrigger):
    """A rule that passes mail to the function. Other actions of the rule are preserved."""

    type: ClassVar[str] = "ses"

    trigger: SESTrigger

    @property
    def rule(self) -> str:
        """Name of the rule."""
        return self.target.owner.name(f"{self.target.function.name}-{self.digest}")

    @property
    def identity(self) -> tuple[str, ...]:
        """Rule set and recipients."""
        return (self.trigger.rule_set, *sorted(self.trigger.recipients))

    @property
    def desired(self) -> Settings:
        """Desired settings. The position in the rule set is only set at creation."""
        return {
            "invokes": self.target.invoked_arn,
            "recipients": sorted(self.trigger.recipients),
            "invocation": self.trigger.invocation,
            "scan": self.trigger.scan,
            "tls": self.trigger.tls,
            "enabled": self.trigger.enabled,
        }

    def source_arn(self, aws: AWS) -> str:  # noqa: ARG002
        """Return the ARN of the rule."""
        return sources.receipt_rule_arn(self.target, self.trigger, self.rule)

    def read_source(self, aws: AWS) -> Settings | None:
        """Return the settings of the rule if the rule set has it."""
        rule = self._read(aws)
        if rule is None:
            return None
        action: Mapping[str, Any] = next(filter(None, (self._action(each) for each in rule.get("Actions", ()))), {})
        return {
            "invokes": action.get("FunctionArn"),
            "recipients": sorted(rule.get("Recipients") or ()),
            "invocation": action.get("InvocationType", "Event") if action else None,
            "scan": bool(rule.get("ScanEnabled")),
            "tls": rule.get("TlsPolicy", "Optional"),
            "enabled": bool(rule.get("Enabled")),
        }

    def connect(self, aws: AWS, present: Settings | None) -> None:
        """Create the rule, or replace its action for the function."""
        client, rule_set = aws.client("ses"), self.trigger.rule_set
        if present is None:
            after = {"After": self.trigger.after} if self.trigger.after else {}
            try:
                client.create_receipt_rule(RuleSetName=rule_set, Rule=self._build_rule([]), **after)
            except Exception as error:
                # An earlier attempt whose answer was lost may have created it.
                if error_code(error) not in _EXISTS:
                    raise
            else:
                return
        actions = (self._read(aws) or {}).get("Actions", [])
        client.update_receipt_rule(RuleSetName=rule_set, Rule=self._build_rule(actions))

    def disconnect(self, aws: AWS) -> None:
        """Delete the rule."""
        disconnect(aws, self.target, self.sid, self.source_arn(aws), self.target.invoked_arn)

    def _build_rule(self, actions: list[Mapping[str, Any]]) -> dict[str, Any]:
        action = {"LambdaAction": {"FunctionArn": self.target.invoked_arn, "InvocationType": self.trigger.invocation}}
        positions = [index for index, each in enumerate(actions) if self._action(each)]
        position = positions[0] if positions else len(actions)
        others = [each for index, each in enumerate(actions) if index not in positions]
        return {
            "Name": self.rule,
            "Enabled": self.trigger.enabled,
            "TlsPolicy": self.trigger.tls,
            "ScanEnabled": self.trigger.scan,
            "Recipients": list(self.trigger.recipients),
            "Actions": [*others[:position], action, *others[position:]],
        }

    def _action(self, action: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the action if it invokes the function or one of its aliases."""
        lambda_action = action.get("LambdaAction")
        return lambda_action if lambda_action and invokes(lambda_action["FunctionArn"], self.target) else None

    def _read(self, aws: AWS) -> Mapping[str, Any] | None:
        rule_set = self.trigger.rule_set
        try:
            answer = none_if_absent(
                lambda: aws.client("ses").describe_receipt_rule(RuleSetName=rule_set, RuleName=self.rule), *_NO_RULE
            )
        except Exception as error:
            if error_code(error) not in _NO_SET:
                raise
            region = self.target.region
            msg = (
                f"the receipt rule set {rule_set}, a trigger of {self.target.function.name}, does not exist in {region}"
            )
            hint = f"aws ses create-receipt-rule-set --rule-set-name {rule_set} --region {region}"
            raise AWSError(msg, hint=hint) from None
        rule: Mapping[str, Any] | None = answer["Rule"] if answer else None
        return rule


def disconnect(aws: AWS, target: Target, sid: str, source_arn: str, invoked_arn: str) -> None:  # noqa: ARG001
    """Remove a rule's action for `invoked_arn`, and the rule if it has no other actions."""
    client = aws.client("ses")
    rule_set, _, rule = source_arn.partition("receipt-rule-set/")[2].partition(":receipt-rule/")
    rule_arguments = {"RuleSetName": rule_set, "RuleName": rule}
    answer = none_if_absent(lambda: client.describe_receipt_rule(**rule_arguments), *_NO_RULE, *_NO_SET)
    if answer is None:
        return
    actions = answer["Rule"].get("Actions", [])
    others = [each for each in actions if (each.get("LambdaAction") or {}).get("FunctionArn") != invoked_arn]
    if not others:
        none_if_absent(lambda: client.delete_receipt_rule(**rule_arguments), *_NO_SET)
    elif len(others) < len(actions):
        client.update_receipt_rule(RuleSetName=rule_set, Rule={**answer["Rule"], "Actions": others})
