"""The role that a function runs as, with the narrowest policy that serves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pyl.deploy.aws import AWS, error_code, iterate_pages, none_if_absent
from pyl.deploy.plan import Change, Reference, Resource
from pyl.deploy.policy import Statement, canonical_text, policy_document
from pyl.deploy.tags import tags_from_list, tags_to_list
from pyl.deploy.target import Target
from pyl.errors import AWSError
from pyl.progress import Progress

POLICY = "pyl"
"""Name of the inline policy that is pyl's; others are left alone."""

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}
"""Who may act in the role."""


@dataclass(frozen=True, kw_only=True)
class RoleState:
    """A role as it is."""

    trust: Mapping[str, Any]
    policy: Mapping[str, Any] | None
    attached: tuple[str, ...]
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class RoleResource(Resource[RoleState]):
    """The role of one function."""

    kind: ClassVar[str] = "role"

    target: Target
    statements: tuple[Statement, ...]
    is_desired: bool = True
    """A role that is not wanted is only there if it is pyl's."""

    @property
    def name(self) -> str:
        """Project and function, as IAM's names are the account's."""
        return role_name(self.target)

    @property
    def tags(self) -> dict[str, str]:
        """pyl's and the user's."""
        return {**self.target.settings.tags, **self.target.owner.tags}

    @property
    def policy(self) -> dict[str, Any]:
        """The document of the inline policy."""
        return policy_document(self.statements)

    def read(self, aws: AWS) -> RoleState | None:
        """What is there."""
        client = aws.client("iam")
        answer = none_if_absent(lambda: client.get_role(RoleName=self.name))
        if answer is None:
            return None
        role, tags = answer["Role"], tags_from_list(answer["Role"].get("Tags") or ())
        if not self.target.owner.owns(tags):
            if not self.is_desired:
                return None
            msg = f"there is a role {self.name}, which pyl did not make for this project"
            raise AWSError(msg, hint="use it by `role` in [tool.pyl], or set `prefix` there, or delete the role")
        inline = none_if_absent(lambda: client.get_role_policy(RoleName=self.name, PolicyName=POLICY))
        attached = iterate_pages(client, "list_attached_role_policies", "AttachedPolicies", RoleName=self.name)
        return RoleState(
            trust=role["AssumeRolePolicyDocument"],
            policy=inline["PolicyDocument"] if inline else None,
            attached=tuple(sorted(policy["PolicyArn"] for policy in attached)),
            tags=tags,
        )

    def changes(self, state: RoleState | None) -> Sequence[Change]:
        """Whom it trusts, what it allows, what is attached, tags."""
        old = state or RoleState(trust={}, policy=None, attached=(), tags={})
        pairs: list[tuple[str, object, object]] = [
            ("policy", _describe_policy(old.policy) if old.policy else None, _describe_policy(self.policy)),
        ]
        if canonical_text(old.trust) != canonical_text(TRUST):
            pairs.append(("trusts", "others" if old.trust else None, "lambda.amazonaws.com"))
        if self.target.settings.policies is not None:
            pairs.append(("policies", list(old.attached) or None, sorted(self.target.settings.policies) or None))
        pairs += [(f"tags.{key}", old.tags.get(key), value) for key, value in self.tags.items()]
        changed = [Change(field=field, old=before, new=after) for field, before, after in pairs if before != after]
        if state and not changed and canonical_text(old.policy) != canonical_text(self.policy):
            changed.append(Change(field="policy", old="in another form", new="as wanted"))
        return changed

    def apply(self, aws: AWS, state: RoleState | None, progress: Progress) -> None:  # noqa: ARG002
        """Make the role, then give it what differs."""
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
        missing = {key: value for key, value in self.tags.items() if state.tags.get(key) != value}
        if missing:
            client.tag_role(RoleName=self.name, Tags=tags_to_list(missing))

    def remove(self, aws: AWS, state: RoleState) -> None:
        """Delete it, which IAM does only once it is bare."""
        client = aws.client("iam")
        for arn in state.attached:
            none_if_absent(lambda arn=arn: client.detach_role_policy(RoleName=self.name, PolicyArn=arn))  # type: ignore[misc]
        inline = none_if_absent(
            lambda: list(iterate_pages(client, "list_role_policies", "PolicyNames", RoleName=self.name))
        )
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
            # An earlier try whose answer was lost may have made it.
            if error_code(error) not in {"EntityAlreadyExists", "EntityAlreadyExistsException"}:
                raise
            present = self.read(aws)
            if present is not None:
                return present
            raise
        return RoleState(trust=TRUST, policy=None, attached=(), tags=self.tags)


def role_name(target: Target) -> str:
    """Name of the role that pyl makes for a function."""
    return target.owner.name(target.function.name)


def role_arn(target: Target) -> str:
    """The role that a function runs as: the given one, else pyl's."""
    return target.settings.role or f"arn:{target.partition}:iam::{target.account}:role/{role_name(target)}"


def role_reference(target: Target) -> Reference:
    """The role in a plan."""
    return Reference(RoleResource.kind, role_name(target))


def _describe_policy(policy: Mapping[str, Any]) -> list[str]:
    """One line per statement, for people."""

    def listed(value: object) -> str:
        return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

    return [
        f"{listed(statement.get('Action'))} on {listed(statement.get('Resource'))}"
        for statement in policy.get("Statement", ())
    ]
