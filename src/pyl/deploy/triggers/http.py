"""HTTP APIs of API Gateway: the API itself, where pyl makes it, and routes that call functions."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pyl.deploy.aws import AWS, error_code, iterate_pages, none_if_absent
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
"""An earlier try whose answer was lost has made it."""


@dataclass(frozen=True, kw_only=True)
class APIState:
    """An API as it is."""

    id: str
    endpoint: str
    tags: Mapping[str, str]
    has_stage: bool
    surplus: tuple[str, ...] = ()
    """Ids of others of the project's own of this name, without routes: AWS carried out a call twice."""


@dataclass(frozen=True, kw_only=True)
class APIResource(Resource[APIState]):
    """An HTTP API with a stage that deploys by itself. One that others made is used as it is."""

    kind: ClassVar[str] = "HTTP API"

    owner: Owner
    api: str

    @property
    def name(self) -> str:
        """The API's."""
        return self.api

    def read(self, aws: AWS) -> APIState | None:
        """The API of this name.

        Raises:
            AWSError: there are several, and none is this project's.
        """
        candidates = _candidates(aws, self.owner, self.api)
        if not candidates:
            return None
        api, *others = candidates
        stages = iterate_pages(aws.client("apigatewayv2"), "get_stages", "Items", ApiId=api["ApiId"])
        return APIState(
            id=api["ApiId"],
            endpoint=api["ApiEndpoint"],
            tags=api.get("Tags") or {},
            has_stage=any(stage["StageName"] == _STAGE for stage in stages),
            surplus=tuple(other["ApiId"] for other in others),
        )

    def changes(self, state: APIState | None) -> Sequence[Change]:
        """The API, and the stage of one that is ours."""
        if state is None:
            return (Change(field="protocol", new="HTTP"), Change(field="stage", new=_STAGE))
        changes = [Change(field="surplus", old=identifier) for identifier in state.surplus]
        if self.owner.owns(state.tags) and not state.has_stage:
            changes.append(Change(field="stage", new=_STAGE))
        return changes

    def apply(self, aws: AWS, state: APIState | None, progress: Progress) -> None:  # noqa: ARG002
        """Make what is missing."""
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
        """Made unless an earlier try whose answer was lost has; read again, as the call may be carried out twice."""
        present = self.read(aws)
        if present is not None:
            return present
        made = aws.client("apigatewayv2").create_api(Name=self.api, ProtocolType="HTTP", Tags=self.owner.tags)
        return self.read(aws) or APIState(
            id=made["ApiId"], endpoint=made["ApiEndpoint"], tags=self.owner.tags, has_stage=False
        )

    def remove(self, aws: AWS, state: APIState) -> None:
        """Delete the API, if pyl made it and no route is left in it."""
        client = aws.client("apigatewayv2")
        routes = none_if_absent(lambda: list(iterate_pages(client, "get_routes", "Items", ApiId=state.id)))
        if routes == [] and self.owner.owns(state.tags):
            none_if_absent(lambda: client.delete_api(ApiId=state.id))


@dataclass(frozen=True, kw_only=True)
class RouteResource(PushTrigger):
    """A route that calls the function."""

    principal: ClassVar[str] = "apigateway.amazonaws.com"
    type: ClassVar[str] = "httpapi"

    trigger: HTTPAPITrigger

    @property
    def api(self) -> str:
        """Name of the API."""
        return api_name(self.target.owner, self.trigger)

    @property
    def dependencies(self) -> tuple[Reference, ...]:
        """What it invokes, and the API."""
        return (self.target.invoked, Reference(APIResource.kind, self.api))

    @property
    def identity(self) -> tuple[str, ...]:
        """API and route."""
        return (self.api, self.trigger.route)

    @property
    def desired(self) -> Settings:
        """The settings as they are to be."""
        return {
            "invokes": self.target.invoked_arn,
            "payload": find_payload_format(self.target.function.event),
            "authorization": self.trigger.authorization,
        }

    def source_arn(self, aws: AWS) -> str | None:
        """The route, in every stage."""
        api = find_api(aws, self.target.owner, self.api)
        return route_arn(self.target, api["ApiId"], self.trigger.route) if api else None

    def read_source(self, aws: AWS) -> Settings | None:
        """The route and what it calls.

        Raises:
            AWSError: others have this route call something else.
        """
        api = find_api(aws, self.target.owner, self.api)
        route = self._route(aws, api["ApiId"]) if api else None
        if api is None or route is None:
            return None
        integration = _integrations(aws, api["ApiId"]).get(_integration_id(route), {})
        called = _function_arn(integration)
        if not self.target.owner.owns(api.get("Tags") or {}) and called and not invokes(called, self.target):
            msg = f"the route {self.trigger.route} of the API {self.api}, which pyl did not make, calls {called}"
            raise AWSError(msg, hint="delete that route, or choose another one or another `api`")
        return {
            "invokes": called,
            "payload": integration.get("PayloadFormatVersion"),
            "authorization": route.get("AuthorizationType", "NONE"),
        }

    def connect(self, aws: AWS, present: Settings | None) -> None:  # noqa: ARG002
        """Make the integration and the route, or have the route that is there call it."""
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
        """Take the route away."""
        source_arn = self.source_arn(aws)
        if source_arn is not None:
            disconnect(aws, self.target, self.sid, source_arn, self.target.invoked_arn)

    def outcome(self, aws: AWS) -> Mapping[str, str]:
        """The URL by the route."""
        api = find_api(aws, self.target.owner, self.api)
        if api is None:
            return {}
        path = self.trigger.route.partition(" ")[2]
        return {self.trigger.route: f"{api['ApiEndpoint']}{path}"}

    def _route(self, aws: AWS, api: str) -> Mapping[str, Any] | None:
        routes = iterate_pages(aws.client("apigatewayv2"), "get_routes", "Items", ApiId=api)
        return next((route for route in routes if route["RouteKey"] == self.trigger.route), None)

    def _integrations(self, aws: AWS, api: str) -> list[str]:
        """Ids of those that call the function with the payload it takes; several if a call was carried out twice."""
        desired = (self.target.invoked_arn, self.desired["payload"])
        return [
            identifier
            for identifier, each in sorted(_integrations(aws, api).items())
            if (each.get("IntegrationUri"), each.get("PayloadFormatVersion")) == desired
        ]

    def _create_integrations(self, aws: AWS, api: str) -> list[str]:
        made: Mapping[str, Any] = aws.client("apigatewayv2").create_integration(
            ApiId=api,
            IntegrationType="AWS_PROXY",
            IntegrationMethod="POST",
            IntegrationUri=self.target.invoked_arn,
            PayloadFormatVersion=self.desired["payload"],
        )
        return self._integrations(aws, api) or [str(made["IntegrationId"])]


def api_name(owner: Owner, trigger: HTTPAPITrigger) -> str:
    """The name in AWS of the API that a route is of."""
    return f"{owner.prefix}{trigger.api or owner.project}"


def route_arn(target: Target, api: str, route: str) -> str:
    """A route in every stage, as permissions name it."""
    return target.arn_of("execute-api", f"{api}/*/{route_arn_path(route)}")


def route_arn_path(route: str) -> str:
    """Method and path in the ARN of a route: variables of the path are any text.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    method, _, path = route.rpartition(" ")
    return re.sub(r"\{[^}]*\}", "*", f"{'*' if method == 'ANY' else method}{path}" if method else route)


def find_api(aws: AWS, owner: Owner, name: str) -> Mapping[str, Any] | None:
    """The HTTP API of this name: the project's own, else the only one.

    Raises:
        AWSError: there are several.
    """
    return next(iter(_candidates(aws, owner, name)), None)


def _candidates(aws: AWS, owner: Owner, name: str) -> list[Mapping[str, Any]]:
    """The API of this name, and after it those of the project's own that are as good as none."""
    client = aws.client("apigatewayv2")
    listed = [
        api
        for api in iterate_pages(client, "get_apis", "Items")
        if api["Name"] == name and api["ProtocolType"] == "HTTP"
    ]
    own = [api for api in listed if owner.owns(api.get("Tags") or {})]
    apis = sorted(own or listed, key=lambda api: (str(api.get("CreatedDate")), api["ApiId"]))
    if len(apis) < 2:
        return apis
    used = [api for api in apis if any(iterate_pages(client, "get_routes", "Items", ApiId=api["ApiId"]))]
    if len(used) > 1 or not own:
        msg = (
            f"there are {len(apis)} HTTP APIs called {name} in {aws.region}: {', '.join(api['ApiId'] for api in apis)}"
        )
        raise AWSError(msg, hint='rename all but one, or choose another name: api = "..."')
    return [*used, *(api for api in apis if api not in used)]


def empty_apis(aws: AWS, owner: Owner, gone: Container[str]) -> Iterator[str]:
    """Names of the project's own APIs without routes, or with such only whose ARNs are among `gone`.

    None where one may not look: then there are none either.
    """
    client = aws.client("apigatewayv2")
    try:
        apis = list(iterate_pages(client, "get_apis", "Items"))
    except Exception as error:
        if error_code(error) not in {"AccessDenied", "AccessDeniedException"}:
            raise
        return
    for api in apis:
        if owner.owns(api.get("Tags") or {}):
            routes = iterate_pages(client, "get_routes", "Items", ApiId=api["ApiId"])
            arns = (aws.arn("execute-api", f"{api['ApiId']}/*/{route_arn_path(route['RouteKey'])}") for route in routes)
            if all(arn in gone for arn in arns):
                yield api["Name"]


def disconnect(aws: AWS, target: Target, sid: str, source_arn: str, invoked_arn: str) -> None:  # noqa: ARG001
    """Take away the routes that a permission was for and that call `invoked_arn`, and what then calls nothing."""
    client, api = aws.client("apigatewayv2"), source_arn.split(":")[5].partition("/")[0]
    routes = none_if_absent(lambda: list(iterate_pages(client, "get_routes", "Items", ApiId=api)))
    if routes is None:
        return
    ours = {key for key, each in _integrations(aws, api).items() if _function_arn(each) == invoked_arn}
    for route in routes:
        if _integration_id(route) in ours and route_arn(target, api, route["RouteKey"]) == source_arn:
            none_if_absent(lambda identifier=route["RouteId"]: client.delete_route(ApiId=api, RouteId=identifier))  # type: ignore[misc]
    _delete_unused(aws, api, sorted(ours))


def _integration_id(route: Mapping[str, Any]) -> str:
    """Id of the integration that a route calls."""
    return str(route.get("Target", "")).rpartition("/")[2]


def _delete_unused(aws: AWS, api: str, integrations: Sequence[str]) -> None:
    """Delete those that no route calls."""
    if not integrations:
        return
    client = aws.client("apigatewayv2")
    called = {_integration_id(route) for route in iterate_pages(client, "get_routes", "Items", ApiId=api)}
    for identifier in integrations:
        if identifier not in called:
            none_if_absent(lambda identifier=identifier: client.delete_integration(ApiId=api, IntegrationId=identifier))  # type: ignore[misc]


def _integrations(aws: AWS, api: str) -> dict[str, Mapping[str, Any]]:
    """By Id."""
    listed = none_if_absent(
        lambda: list(iterate_pages(aws.client("apigatewayv2"), "get_integrations", "Items", ApiId=api))
    )
    return {each["IntegrationId"]: each for each in listed or ()}


def _function_arn(integration: Mapping[str, Any]) -> str | None:
    """The function that an integration calls, also in the long form that REST APIs have."""
    uri = str(integration.get("IntegrationUri") or "")
    return uri.partition("/functions/")[2].removesuffix("/invocations") if "/functions/" in uri else uri or None
