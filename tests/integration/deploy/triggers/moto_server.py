"""moto's server with what it lacks and triggers use: SES's DeleteReceiptRule.

https://docs.aws.amazon.com/ses/latest/APIReference/API_DeleteReceiptRule.html
"""

from __future__ import annotations

from moto.core.responses import EmptyResult
from moto.server import main
from moto.ses.responses import EmailResponse


def delete_receipt_rule(self: EmailResponse) -> EmptyResult:
    rule_set = self.backend.describe_receipt_rule_set(self._get_param("RuleSetName"))
    rule_set.rules = [rule for rule in rule_set.rules if rule["Name"] != self._get_param("RuleName")]
    return EmptyResult()


if __name__ == "__main__":
    assert not hasattr(EmailResponse, "delete_receipt_rule"), "moto has it now"
    EmailResponse.delete_receipt_rule = delete_receipt_rule
    main()
