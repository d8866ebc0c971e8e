"""HTTP APIs of API Gateway, and routes that invoke functions."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pyl.deploy.aws import AWS, error_code, none_if_absent, paginate
from pyl.deploy.plan import Change, Reference, Resource
from pyl.deploy.tags import Owner
from pyl.deploy.target import Target
from pyl.deploy.triggers.base import Settings, invokes
from pyl.deploy.triggers.push import PushTrigger
from pyl.errors import AWSError
from pyl.progress import Progress
from pyl.project.config.triggers import HTTPAPITrigger
from pyl.project.trigger_rules import find_payload_format

_STAGE = "$default"
_CONFLICT = "ConflictException"
"""The resource exists, for example because the answer to an earlier attempt was lost."""


@dataclass(frozen=True, kw_only=True)
class APIState:
    """An HTTP API in AWS."""

    id: str
    endpoint: str
    tags: Mapping[str, str]
    has_stage: bool
    surplus: tuple[str, ...] = ()
    """IDs of duplicates without routes, which exist if AWS executed a call twice."""


@dataclass(frozen=True, kw_only=True)
class APIResource(Resource[APIState]):
    """An HTTP API with a stage that is deployed automatically. An existing API of others is used unchanged."""

    kind: ClassVar[str] = "HTTP API"

    owner: Owner
    api: str

    @property
    def name(self) -> str:
        """Name of the API."""
        return self.api

    def read(self, aws: AWS) -> APIState | None:
        """Return the state of the API with this name.

        Raises:
            AWSError: There are several, and none belongs to this project.
        """
        candidates = _candidates(aws, self.owner, self.api)
        if not candidates:
            return None
        api, *others = candidates
        stages = paginate(aws.client("apigatewayv2"), "get_stages", "Items", ApiId=api["ApiId"])
        return APIState(
            id=api["ApiId"],
            endpoint=api["ApiEndpoint"],
            tags=api.get("Tags") or {},
            has_stage=any(stage["StageName"] == _STAGE for stage in stages),
            surplus=tuple(other["ApiId"] for other in others),
        )

    def changes(self, state: APIState | None) -> Sequence[Change]:
        """Return changes of the API, and of its stage if the API belongs to the project."""
        if state is None:
            return (Change(field="protocol", new="HTTP"), Change(field="stage", new=_STAGE))
        changes = [Change(field="surplus", old=identifier) for identifier in state.surplus]
        if self.owner.owns(state.tags) and not state.has_stage:
            changes.append(Change(field="stage", new=_STAGE))
        return changes

    def apply(self, aws: AWS, state: APIState | None, progress: Progress) -> None:  # noqa: ARG002
        """Create what is missing, and delete duplicates."""
        client = aws.client("apigatewayv2")
        if state is None:
            state = self._create(aws)
        if not state.has_stage:
            try:
                client.create_stage(ApiId=state.id, StageName=_STAGE, AutoDeploy=True, Tags=self.owner.tags)
            except Exception as error:
                if error_code(error) != _CONFLICT:
                    raise
        for identifier in state.surplus:
            none_if_absent(lambda identifier=identifier: client.delete_api(ApiId=identifier))  # type: ignore[misc]

    def _create(self, aws: AWS) -> APIState:
        """Create the API unless it exists by now. Read it again, as the call may be executed twice."""
        present = self.read(aws)
        if present is not None:
            return present
        api = aws.client("apigatewayv2").create_api(Name=self.api, ProtocolType="HTTP", Tags=self.owner.tags)
        return self.read(aws) or APIState(
            id=api["ApiId"], endpoint=api["ApiEndpoint"], tags=self.owner.tags, has_stage=False
        )

    def remove(self, aws: AWS, state: APIState) -> None:
        """Delete the API if it belongs to the project and has no routes."""
        client = aws.client("apigatewayv2")
        routes = none_if_absent(lambda: list(paginate(client, "get_routes", "Items", ApiId=state.id)))
        if routes == [] and self.owner.owns(state.tags):
            none_if_absent(lambda: client.delete_api(ApiId=state.id))


@dataclass(frozen=True, kw_only=True)
class RouteResource(PushTrigger):
    """A route that invokes the function."""

    type: ClassVar[str] = "httpapi"

    trigger: HTTPAPITrigger

    @property
    def api(self) -> str:
        """Name of the API."""
        return api_name(self.target.owner, self.trigger)

    @property
    def dependencies(self) -> tuple[Reference, ...]:
        """The function or alias that the route invokes, and the API."""
        return (self.target.invoked, Reference(APIResource.kind, self.api))

    @property
    def identity(self) -> tuple[str, ...]:
        """API and route."""
        return (self.api, self.trigger.route)

    @property
    def desired(self) -> Settings:
        """Desired settings."""
        return {
            "invokes": self.target.invoked_arn,
            "payload": find_payload_format(self.target.function.event),
            "authorization": self.trigger.authorization,
        }

    def source_arn(self, aws: AWS) -> str | None:
        """Return the ARN of the route in all stages."""
        api = find_api(aws, self.target.owner, self.api)
        return route_arn(self.target, api["ApiId"], self.trigger.route) if api else None

    def read_source(self, aws: AWS) -> Settings | None:
        """Return the settings of the route and its integration.

        Raises:
            AWSError: The API belongs to others, and the route calls something else.
        """
        api = find_api(aws, self.target.owner, self.api)
        route = self._route(aws, api["ApiId"]) if api else None
        if api is None or route is None:
            return None
        integration = _integrations(aws, api["ApiId"]).get(_integration_id(route), {})
        called_arn = _function_arn(integration)
        if not self.target.owner.owns(api.get("Tags") or {}) and called_arn and not invokes(called_arn, self.target):
            msg = f"the route {self.trigger.route} of the API {self.api}, which pyl did not create, calls {called_arn}"
            raise AWSError(msg, hint="delete that route, or choose another route or another `api`")
        return {
            "invokes": called_arn,
            "payload": integration.get("PayloadFormatVersion"),
            "authorization": route.get("AuthorizationType", "NONE"),
        }

    def connect(self, aws: AWS, present: Settings | None) -> None:  # noqa: ARG002
        """Create the integration and the route, or update the existing route."""
        client = aws.client("apigatewayv2")
        api = (find_api(aws, self.target.owner, self.api) or {})["ApiId"]
        integration, *surplus = self._integrations(aws, api) or self._create_integrations(aws, api)
        arguments = {
            "ApiId": api,
            "RouteKey": self.trigger.route,
            "Target": f"integrations/{integration}",
            "AuthorizationType": self.trigger.authorization,
        }
        route = self._route(aws, api)
        if route is None:
            try:
                client.create_route(**arguments)
            except Exception as error:
                if error_code(error) != _CONFLICT:
                    raise
                route = self._route(aws, api)
        if route is not None:
            client.update_route(**arguments, RouteId=route["RouteId"])
        _delete_unused(aws, api, surplus)

    def disconnect(self, aws: AWS) -> None:
        """Delete the route."""
        source_arn = self.source_arn(aws)
        if source_arn is not None:
            disconnect(aws, self.target, self.sid, source_arn, self.target.invoked_arn)

    def outcome(self, aws: AWS) -> Mapping[str, str]:
        """Return the URL by route."""
        api = find_api(aws, self.target.owner, self.api)
        if api is None:
            return {}
        path = self.trigger.route.partition(" ")[2]
        return {self.trigger.route: f"{api['ApiEndpoint']}{path}"}

    def _route(self, aws: AWS, api: str) -> Mapping[str, Any] | None:
        routes = paginate(aws.client("apigatewayv2"), "get_routes", "Items", ApiId=api)
        return next((route for route in routes if route["RouteKey"] == self.trigger.route), None)

    def _integrations(self, aws: AWS, api: str) -> list[str]:
        """Return the IDs of integrations with the desired settings; several if AWS executed a call twice."""
        desired = (self.target.invoked_arn, self.desired["payload"])
        return [
            identifier
            for identifier, each in sorted(_integrations(aws, api).items())
            if (each.get("IntegrationUri"), each.get("PayloadFormatVersion")) == desired
        ]

    def _create_integrations(self, aws: AWS, api: str) -> list[str]:
        integration: Mapping[str, Any] = aws.client("apigatewayv2").create_integration(
            ApiId=api,
            IntegrationType="AWS_PROXY",
            IntegrationMethod="POST",
            IntegrationUri=self.target.invoked_arn,
            PayloadFormatVersion=self.desired["payload"],
        )
        return self._integrations(aws, api) or [str(integration["IntegrationId"])]


def api_name(owner: Owner, trigger: HTTPAPITrigger) -> str:
    """Return the name in AWS of the API that a route belongs to."""
    return f"{owner.prefix}{trigger.api or owner.project}"


def route_arn(target: Target, api: str, route: str) -> str:
    """Return the ARN of a route in all stages, as used in permissions."""
    return target.arn_of("execute-api", f"{api}/*/{route_arn_path(route)}")


def route_arn_path(route: str) -> str:
    """Return method and path as in the ARN of a route, with `*` for path variables.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    method, _, path = route.rpartition(" ")
    return re.sub(r"\{[^}]*\}", "*", f"{'*' if method == 'ANY' else method}{path}" if method else route)


def find_api(aws: AWS, owner: Owner, name: str) -> Mapping[str, Any] | None:
    """Return the HTTP API with this name: the project's own, or else the only one.

    Raises:
        AWSError: There are several.
    """
    return next(iter(_candidates(aws, owner, name)), None)


def _candidates(aws: AWS, owner: Owner, name: str) -> list[Mapping[str, Any]]:
    """Return the API with this name, followed by the project's own duplicates without routes."""
    client = aws.client("apigatewayv2")
    listed = [
        api for api in paginate(client, "get_apis", "Items") if api["Name"] == name and api["ProtocolType"] == "HTTP"
    ]
    own = [api for api in listed if owner.owns(api.get("Tags") or {})]
    apis = sorted(own or listed, key=lambda api: (str(api.get("CreatedDate")), api["ApiId"]))
    if len(apis) < 2:
        return apis
    used = [api for api in apis if any(paginate(client, "get_routes", "Items", ApiId=api["ApiId"]))]
    if len(used) > 1 or not own:
        msg = f"{len(apis)} HTTP APIs are named {name} in {aws.region}: {', '.join(api['ApiId'] for api in apis)}"
        raise AWSError(msg, hint='rename all but one, or set api = "..." to another name')
    return [*used, *(api for api in apis if api not in used)]


def find_empty_apis(aws: AWS, owner: Owner, deleted_arns: Container[str]) -> Iterator[str]:
    """Yield names of the project's APIs without routes.

    Yields nothing if the caller may not list APIs.

    Args:
        aws: The account and region.
        owner: Owner of the APIs.
        deleted_arns: ARNs of routes that are about to be deleted. They do not count.
    """
    client = aws.client("apigatewayv2")
    try:
        apis = list(paginate(client, "get_apis", "Items"))
    except Exception as error:
        if error_code(error) not in {"AccessDenied", "AccessDeniedException"}:
            raise
        return
    for api in apis:
        if owner.owns(api.get("Tags") or {}):
            routes = paginate(client, "get_routes", "Items", ApiId=api["ApiId"])
            arns = (aws.arn("execute-api", f"{api['ApiId']}/*/{route_arn_path(route['RouteKey'])}") for route in routes)
            if all(arn in deleted_arns for arn in arns):
                yield api["Name"]


def disconnect(aws: AWS, target: Target, sid: str, source_arn: str, invoked_arn: str) -> None:  # noqa: ARG001
    """Delete the routes of a permission that call `invoked_arn`, and integrations that are then unused."""
    client, api = aws.client("apigatewayv2"), source_arn.split(":")[5].partition("/")[0]
    routes = none_if_absent(lambda: list(paginate(client, "get_routes", "Items", ApiId=api)))
    if routes is None:
        return
    integration_ids = {key for key, each in _integrations(aws, api).items() if _function_arn(each) == invoked_arn}
    for route in routes:
        if _integration_id(route) in integration_ids and route_arn(target, api, route["RouteKey"]) == source_arn:
            none_if_absent(lambda identifier=route["RouteId"]: client.delete_route(ApiId=api, RouteId=identifier))  # type: ignore[misc]
    _delete_unused(aws, api, sorted(integration_ids))


def _integration_id(route: Mapping[str, Any]) -> str:
    """Return the ID of the integration that a route calls."""
    return str(route.get("Target", "")).rpartition("/")[2]


def _delete_unused(aws: AWS, api: str, integrations: Sequence[str]) -> None:
    """Delete those integrations that no route calls."""
    if not integrations:
        return
    client = aws.client("apigatewayv2")
    used_ids = {_integration_id(route) for route in paginate(client, "get_routes", "Items", ApiId=api)}
    for identifier in integrations:
        if identifier not in used_ids:
            none_if_absent(lambda identifier=identifier: client.delete_integration(ApiId=api, IntegrationId=identifier))  # type: ignore[misc]


def _integrations(aws: AWS, api: str) -> dict[str, Mapping[str, Any]]:
    """Return all integrations of an API by ID."""
    listed = none_if_absent(lambda: list(paginate(aws.client("apigatewayv2"), "get_integrations", "Items", ApiId=api)))
    return {each["IntegrationId"]: each for each in listed or ()}


def _function_arn(integration: Mapping[str, Any]) -> str | None:
    """Return the ARN of the function that an integration calls. REST APIs have a longer form."""
    uri = str(integration.get("IntegrationUri") or "")
    return uri.partition("/functions/")[2].removesuffix("/invocations") if "/functions/" in uri else uri or None
