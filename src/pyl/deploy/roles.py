"""Execution roles of functions, with the narrowest policy that suffices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pyl.deploy.aws import AWS, error_code, none_if_absent, paginate
from pyl.deploy.plan import Change, Reference, Resource
from pyl.deploy.policy import Statement, canonical_text, policy_document
from pyl.deploy.tags import tags_from_list, tags_to_list
from pyl.deploy.target import Target
from pyl.errors import AWSError
from pyl.progress import Progress

POLICY = "pyl"
"""Name of pyl's inline policy. Other inline policies are left alone."""

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}
"""Trust policy: Lambda may assume the role."""


@dataclass(frozen=True, kw_only=True)
class RoleState:
    """A role in AWS."""

    trust: Mapping[str, Any]
    policy: Mapping[str, Any] | None
    attached: tuple[str, ...]
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class RoleResource(Resource[RoleState]):
    """The execution role of one function."""

    kind: ClassVar[str] = "role"

    target: Target
    statements: tuple[Statement, ...]
    is_desired: bool = True
    """Whether the role is to exist. One that is not counts as existing only if pyl created it."""

    @property
    def name(self) -> str:
        """Name of the project and of the function, as names are unique per account."""
        return role_name(self.target)

    @property
    def tags(self) -> dict[str, str]:
        """Tags of pyl and of the user."""
        return {**self.target.settings.tags, **self.target.owner.tags}

    @property
    def policy(self) -> dict[str, Any]:
        """The inline policy's document."""
        return policy_document(self.statements)

    def read(self, aws: AWS) -> RoleState | None:
        """Return the role's state.

        Raises:
            AWSError: The role was not created by pyl for this project.
        """
        client = aws.client("iam")
        answer = none_if_absent(lambda: client.get_role(RoleName=self.name))
        if answer is None:
            return None
        role, tags = answer["Role"], tags_from_list(answer["Role"].get("Tags") or ())
        if not self.target.owner.owns(tags):
            if not self.is_desired:
                return None
            msg = f"a role {self.name} exists, but pyl did not create it for this project"
            raise AWSError(msg, hint="set `role` in [tool.pyl] to use it, set `prefix`, or delete the role")
        inline = none_if_absent(lambda: client.get_role_policy(RoleName=self.name, PolicyName=POLICY))
        attached = paginate(client, "list_attached_role_policies", "AttachedPolicies", RoleName=self.name)
        return RoleState(
            trust=role["AssumeRolePolicyDocument"],
            policy=inline["PolicyDocument"] if inline else None,
            attached=tuple(sorted(policy["PolicyArn"] for policy in attached)),
            tags=tags,
        )

    def changes(self, state: RoleState | None) -> Sequence[Change]:
        """Return changes of policies, trust policy and tags."""
        old = state or RoleState(trust={}, policy=None, attached=(), tags={})
        values: list[tuple[str, object, object]] = [
            ("policy", _describe_policy(old.policy) if old.policy else None, _describe_policy(self.policy)),
        ]
        if canonical_text(old.trust) != canonical_text(TRUST):
            values.append(("trusts", "others" if old.trust else None, "lambda.amazonaws.com"))
        if self.target.settings.policies is not None:
            values.append(("policies", list(old.attached) or None, sorted(self.target.settings.policies) or None))
        values += [(f"tags.{key}", old.tags.get(key), value) for key, value in self.tags.items()]
        changes = [Change(field=field, old=before, new=after) for field, before, after in values if before != after]
        if state and not changes and canonical_text(old.policy) != canonical_text(self.policy):
            changes.append(Change(field="policy", old="equivalent", new="canonical"))
        return changes

    def apply(self, aws: AWS, state: RoleState | None, progress: Progress) -> None:  # noqa: ARG002
        """Create the role, then update what differs."""
        client = aws.client("iam")
        if state is None:
            state = self._create(aws)
        if canonical_text(state.trust) != canonical_text(TRUST):
            client.update_assume_role_policy(RoleName=self.name, PolicyDocument=canonical_text(TRUST))
        if canonical_text(state.policy) != canonical_text(self.policy):
            client.put_role_policy(RoleName=self.name, PolicyName=POLICY, PolicyDocument=canonical_text(self.policy))
        if self.target.settings.policies is not None:
            for arn in sorted({*self.target.settings.policies} - {*state.attached}):
                client.attach_role_policy(RoleName=self.name, PolicyArn=arn)
            for arn in sorted({*state.attached} - {*self.target.settings.policies}):
                client.detach_role_policy(RoleName=self.name, PolicyArn=arn)
        missing_tags = {key: value for key, value in self.tags.items() if state.tags.get(key) != value}
        if missing_tags:
            client.tag_role(RoleName=self.name, Tags=tags_to_list(missing_tags))

    def remove(self, aws: AWS, state: RoleState) -> None:
        """Delete the role. IAM requires that its policies are removed first."""
        client = aws.client("iam")
        for arn in state.attached:
            none_if_absent(lambda arn=arn: client.detach_role_policy(RoleName=self.name, PolicyArn=arn))  # type: ignore[misc]
        inline = none_if_absent(lambda: list(paginate(client, "list_role_policies", "PolicyNames", RoleName=self.name)))
        for name in inline or ():
            none_if_absent(lambda name=name: client.delete_role_policy(RoleName=self.name, PolicyName=name))  # type: ignore[misc]
        none_if_absent(lambda: client.delete_role(RoleName=self.name))

    def _create(self, aws: AWS) -> RoleState:
        try:
            aws.client("iam").create_role(
                RoleName=self.name,
                AssumeRolePolicyDocument=canonical_text(TRUST),
                Description=f"{self.target.owner.tag}: the function {self.target.name}",
                Tags=tags_to_list(self.tags),
            )
        except Exception as error:
            # An earlier attempt whose answer was lost may have created it.
            if error_code(error) not in {"EntityAlreadyExists", "EntityAlreadyExistsException"}:
                raise
            present = self.read(aws)
            if present is not None:
                return present
            raise
        return RoleState(trust=TRUST, policy=None, attached=(), tags=self.tags)


def role_name(target: Target) -> str:
    """Return the name of the role that pyl creates for a function."""
    return target.owner.name(target.function.name)


def role_arn(target: Target) -> str:
    """Return the ARN of the function's role: the configured one, or else pyl's."""
    return target.settings.role or f"arn:{target.partition}:iam::{target.account}:role/{role_name(target)}"


def role_reference(target: Target) -> Reference:
    """Return the role's reference in a plan."""
    return Reference(RoleResource.kind, role_name(target))


def _describe_policy(policy: Mapping[str, Any]) -> list[str]:
    """Return a line of text per statement."""

    def join(value: object) -> str:
        return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

    return [
        f"{join(statement.get('Action'))} on {join(statement.get('Resource'))}"
        for statement in policy.get("Statement", ())
    ]
