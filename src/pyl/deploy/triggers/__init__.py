"""Triggers in AWS: resources for `[[tool.pyl.functions.<name>.triggers]]`.

- `sqs`, `dynamodb` and `kinesis` are event source mappings (`mappings`). They are found by source and function; pyl's
  own have tags.
- `s3`, `sns`, `eventbridge`, `schedule`, `ses` and `httpapi` are a permission on the function and a setting of the
  source (`push`). They are found by the permission.

`trigger_resources` and `api_resources` return the configured triggers, `find_orphaned_triggers` and
`find_orphaned_apis` those that are no longer configured, and `trigger_statements` the permissions for the
function's role.
"""

from __future__ import annotations

from pyl.deploy.triggers.desired_state import api_resources, trigger_resources
from pyl.deploy.triggers.iam_permissions import trigger_statements
from pyl.deploy.triggers.orphans import find_orphaned_apis, find_orphaned_triggers

__all__ = ["api_resources", "find_orphaned_apis", "find_orphaned_triggers", "trigger_resources", "trigger_statements"]
