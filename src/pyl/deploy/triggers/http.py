"""HTTP APIs of API Gateway: the API itself, where pyl makes it, and routes that call functions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pyl.deploy.aws import AWS, error_code, found, pages
from pyl.deploy.plan import Change, Reference, Resource
from pyl.deploy.tags import Owner
from pyl.deploy.target import Target
from pyl.deploy.triggers.base import Settings, invokes
from pyl.deploy.triggers.push import PushTrigger
from pyl.errors import AWSError
from pyl.progress import Progress
from pyl.project.trigger_rules import payload_format
from pyl.project.triggers import HTTPAPITrigger

_STAGE = "$default"


@dataclass(frozen=True, kw_only=True)
class APIState:
    """An API as it is."""

    id: str
    endpoint: str
    tags: Mapping[str, str]
    has_stage: bool


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
        api = find_api(aws, self.owner, self.api)
        if api is None:
            return None
        stages = pages(aws.client("apigatewayv2"), "get_stages", "Items", ApiId=api["ApiId"])
        return APIState(
            id=api["ApiId"],
            endpoint=api["ApiEndpoint"],
            tags=api.get("Tags") or {},
            has_stage=any(stage["StageName"] == _STAGE for stage in stages),
        )

    def changes(self, state: APIState | None) -> Sequence[Change]:
        """The API, and the stage of one that is ours."""
        if state is None:
            return (Change(field="protocol", new="HTTP"), Change(field="stage", new=_STAGE))
        if self.owner.owns(state.tags) and not state.has_stage:
            return (Change(field="stage", new=_STAGE),)
        return ()

    def apply(self, aws: AWS, state: APIState | None, progress: Progress) -> None:  # noqa: ARG002
        """Make what is missing."""
        client = aws.client("apigatewayv2")
        if state is None:
            present = find_api(aws, self.owner, self.api)  # an earlier try whose answer was lost may have made it
            made = present or client.create_api(Name=self.api, ProtocolType="HTTP", Tags=self.owner.tags)
            state = APIState(id=made["ApiId"], endpoint=made["ApiEndpoint"], tags=self.owner.tags, has_stage=False)
        if not state.has_stage:
            try:
                client.create_stage(ApiId=state.id, StageName=_STAGE, AutoDeploy=True, Tags=self.owner.tags)
            except Exception as error:
                if error_code(error) != "ConflictException":
                    raise

    def remove(self, aws: AWS, state: APIState) -> None:
        """Delete the API, if pyl made it and no route is left in it."""
        client = aws.client("apigatewayv2")
        routes = found(lambda: list(pages(client, "get_routes", "Items", ApiId=state.id)))
        if routes == [] and self.owner.owns(state.tags):
            found(lambda: client.delete_api(ApiId=state.id))


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
    def needs(self) -> tuple[Reference, ...]:
        """What it invokes, and the API."""
        return (self.target.invoked, Reference(APIResource.kind, self.api))

    @property
    def distinction(self) -> tuple[str, ...]:
        """API and route."""
        return (self.api, self.trigger.route)

    @property
    def wanted(self) -> Settings:
        """The settings as they are to be."""
        return {
            "invokes": self.target.invoked_arn,
            "payload": payload_format(self.target.function.event),
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
        integration = _integrations(aws, api["ApiId"]).get(route.get("Target", "").rpartition("/")[2], {})
        called = _function_arn(integration)
        if not self.target.owner.owns(api.get("Tags") or {}) and called and not invokes(called, self.target):
            msg = f"the route {self.trigger.route} of the API {self.api}, which pyl did not make, calls {called}"
            raise AWSError(msg, hint="delete that route, or choose another one or another `api`")
        return {
            "invokes": called,
            "payload": integration.get("PayloadFormatVersion"),
            "authorization": route.get("AuthorizationType", "NONE"),
        }

    def wire(self, aws: AWS, present: Settings | None) -> None:  # noqa: ARG002
        """Make the integration and the route, or have the route that is there call it."""
        client = aws.client("apigatewayv2")
        api = find_api(aws, self.target.owner, self.api) or {}
        target = f"integrations/{self._integration(aws, api['ApiId'])}"
        arguments = {"RouteKey": self.trigger.route, "Target": target, "AuthorizationType": self.trigger.authorization}
        route = self._route(aws, api["ApiId"])
        if route is None:
            client.create_route(ApiId=api["ApiId"], **arguments)
        else:
            client.update_route(ApiId=api["ApiId"], RouteId=route["RouteId"], **arguments)

    def unwire(self, aws: AWS) -> None:
        """Take the route away."""
        source_arn = self.source_arn(aws)
        if source_arn is not None:
            unwire(aws, self.target, self.sid, source_arn, self.target.invoked_arn)

    def outcome(self, aws: AWS) -> Mapping[str, str]:
        """The URL by the route."""
        api = find_api(aws, self.target.owner, self.api)
        if api is None:
            return {}
        path = self.trigger.route.partition(" ")[2]
        return {self.trigger.route: f"{api['ApiEndpoint']}{path}"}

    def _route(self, aws: AWS, api: str) -> Mapping[str, Any] | None:
        routes = pages(aws.client("apigatewayv2"), "get_routes", "Items", ApiId=api)
        return next((route for route in routes if route["RouteKey"] == self.trigger.route), None)

    def _integration(self, aws: AWS, api: str) -> str:
        """Id of the integration that calls the function with the payload that it takes; made where there is none."""
        version = self.wanted["payload"]
        for identifier, each in _integrations(aws, api).items():
            if each.get("IntegrationUri") == self.target.invoked_arn and each.get("PayloadFormatVersion") == version:
                return identifier
        made: Mapping[str, Any] = aws.client("apigatewayv2").create_integration(
            ApiId=api,
            IntegrationType="AWS_PROXY",
            IntegrationMethod="POST",
            IntegrationUri=self.target.invoked_arn,
            PayloadFormatVersion=version,
        )
        return str(made["IntegrationId"])


def api_name(owner: Owner, trigger: HTTPAPITrigger) -> str:
    """The name in AWS of the API that a route is of."""
    return f"{owner.prefix}{trigger.api or owner.project}"


def route_arn(target: Target, api: str, route: str) -> str:
    """A route in every stage, as permissions name it."""
    return target.arn_of("execute-api", f"{api}/*/{route_place(route)}")


def route_place(route: str) -> str:
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
    apis = [
        api
        for api in pages(aws.client("apigatewayv2"), "get_apis", "Items")
        if api["Name"] == name and api["ProtocolType"] == "HTTP"
    ]
    own = [api for api in apis if owner.owns(api.get("Tags") or {})] or apis
    if len(own) > 1:
        msg = f"there are {len(own)} HTTP APIs called {name} in {aws.region}: {', '.join(api['ApiId'] for api in own)}"
        raise AWSError(msg, hint='rename all but one, or choose another name: api = "..."')
    return own[0] if own else None


def owned_apis(aws: AWS, owner: Owner) -> Iterator[str]:
    """Names of the APIs that pyl made for a project."""
    for api in pages(aws.client("apigatewayv2"), "get_apis", "Items"):
        if owner.owns(api.get("Tags") or {}):
            yield api["Name"]


def unwire(aws: AWS, target: Target, sid: str, source_arn: str, invoked_arn: str) -> None:  # noqa: ARG001
    """Take away the routes that a permission was for and that call `invoked_arn`, and what then calls nothing."""
    client, api = aws.client("apigatewayv2"), source_arn.split(":")[5].partition("/")[0]
    routes = found(lambda: list(pages(client, "get_routes", "Items", ApiId=api)))
    if routes is None:
        return
    ours = {key for key, each in _integrations(aws, api).items() if _function_arn(each) == invoked_arn}
    left = []
    for route in routes:
        called = route.get("Target", "").rpartition("/")[2]
        if called in ours and route_arn(target, api, route["RouteKey"]) == source_arn:
            found(lambda identifier=route["RouteId"]: client.delete_route(ApiId=api, RouteId=identifier))  # type: ignore[misc]
        else:
            left.append(called)
    for identifier in sorted(ours - set(left)):
        found(lambda identifier=identifier: client.delete_integration(ApiId=api, IntegrationId=identifier))  # type: ignore[misc]


def _integrations(aws: AWS, api: str) -> dict[str, Mapping[str, Any]]:
    """By Id."""
    listed = found(lambda: list(pages(aws.client("apigatewayv2"), "get_integrations", "Items", ApiId=api)))
    return {each["IntegrationId"]: each for each in listed or ()}


def _function_arn(integration: Mapping[str, Any]) -> str | None:
    """The function that an integration calls, also in the long form that REST APIs have."""
    uri = str(integration.get("IntegrationUri") or "")
    return uri.partition("/functions/")[2].removesuffix("/invocations") if "/functions/" in uri else uri or None
