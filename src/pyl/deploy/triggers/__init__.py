"""Triggers in AWS: from `[[tool.pyl.functions.<name>.triggers]]` to resources of a plan.

- `sqs`, `dynamodb` and `kinesis` are event source mappings (`mappings`), found again by source and function; tags
  tell pyl's own.
- `s3`, `sns`, `eventbridge`, `schedule`, `ses` and `httpapi` are a permission and a setting of the source (`push`),
  found again by the permission.

`trigger_resources` and `api_resources` are those that configuration wants, `left_triggers` and `left_apis` those that
pyl made and nothing wants any more, `trigger_statements` what they need of the function's role.
"""

from __future__ import annotations

from pyl.deploy.triggers.desired_state import api_resources, trigger_resources
from pyl.deploy.triggers.iam_permissions import trigger_statements
from pyl.deploy.triggers.orphans import find_orphaned_apis, find_orphaned_triggers

__all__ = ["api_resources", "find_orphaned_apis", "find_orphaned_triggers", "trigger_resources", "trigger_statements"]
