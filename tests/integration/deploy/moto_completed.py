"""Run as a program: moto's server on a free loopback port, with what of Lambda moto forgets.

Moto takes these settings and drops them; AWS keeps them. Nothing else is changed.

- `UpdateFunctionConfiguration`: tracing, ephemeral storage. `UpdateFunctionCode`: the architecture.
- The logging configuration, everywhere.
- A URL's `InvokeMode`, and whether it was given.
- A mapping of an event source to an alias tells the alias, not the version behind it; a second one is refused.
- `PutFunctionEventInvokeConfig` replaces what was put before.
- A second permission with the same statement is refused.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from moto.awslambda import models
from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.policy import Policy
from moto.server import ThreadedMotoServer
from moto_triggers import complete_triggers  # type: ignore[import-not-found]  # found beside this program


def complete_functions() -> None:
    """Settings of functions that moto does not update."""
    make, update, tell = (
        models.LambdaFunction.__init__,
        models.LambdaFunction.update_configuration,
        models.LambdaFunction.get_configuration,
    )
    set_code = models.LambdaFunction.update_function_code

    def made(self: Any, *arguments: Any, **named: Any) -> None:
        make(self, *arguments, **named)
        spec = named.get("spec") or arguments[1]
        self.logging = {"LogFormat": "Text", "LogGroup": self.logs_group_name} | (spec.get("LoggingConfig") or {})

    def updated(self: Any, config_updates: dict[str, Any]) -> dict[str, Any]:
        if "TracingConfig" in config_updates:
            self.tracing_config = config_updates["TracingConfig"]
        if "EphemeralStorage" in config_updates:
            self.ephemeral_storage = config_updates["EphemeralStorage"]["Size"]
        if "LoggingConfig" in config_updates:
            self.logging = self.logging | config_updates["LoggingConfig"]
        return update(self, config_updates)

    def coded(self: Any, updated_spec: dict[str, Any]) -> dict[str, Any]:
        if "Architectures" in updated_spec and not updated_spec.get("DryRun"):
            self.architectures = updated_spec["Architectures"]
        return set_code(self, updated_spec)

    def told(self: Any, on_create: bool = False) -> dict[str, Any]:
        return tell(self, on_create) | {"LoggingConfig": self.logging}

    models.LambdaFunction.__init__ = made
    models.LambdaFunction.update_configuration = updated
    models.LambdaFunction.update_function_code = coded
    models.LambdaFunction.get_configuration = told


def complete_urls() -> None:
    """The mode of a URL."""
    update, tell = models.FunctionUrlConfig.update, models.FunctionUrlConfig.to_dict

    def updated(self: Any, new_config: dict[str, Any]) -> None:
        if "InvokeMode" in new_config:
            self.config["InvokeMode"] = new_config["InvokeMode"]
        update(self, new_config)

    def told(self: Any) -> dict[str, Any]:
        return tell(self) | {"InvokeMode": self.config.get("InvokeMode") or "BUFFERED"}

    models.FunctionUrlConfig.update = updated
    models.FunctionUrlConfig.to_dict = told


def complete_mappings() -> None:
    """What a mapping invokes is what it was told to invoke."""
    create, update = (
        models.LambdaBackend.create_event_source_mapping,
        models.LambdaBackend.update_event_source_mapping,
    )

    def created(self: Any, spec: dict[str, Any]) -> Any:
        invoked = spec["FunctionName"]
        for present in self._event_source_mappings.values():
            if present.event_source_arn == spec["EventSourceArn"] and present.function_arn == invoked:
                code, message = "ResourceConflictException", "An event source mapping with these ARNs exists already."
                raise LambdaClientError(code, message)
        mapping = create(self, spec)
        mapping.function_arn = invoked if invoked.startswith("arn:") else mapping.function_arn
        return mapping

    def updated(self: Any, uuid: str, spec: dict[str, Any]) -> Any:
        invoked, mapping = spec.get("FunctionName") or "", update(self, uuid, spec)
        if mapping and invoked.startswith("arn:"):
            mapping.function_arn = invoked
        return mapping

    models.LambdaBackend.create_event_source_mapping = created
    models.LambdaBackend.update_event_source_mapping = updated


def complete_asynchronous_invocation() -> None:
    """One configuration per function."""
    put = models.LambdaBackend.put_function_event_invoke_config

    def replaced(self: Any, function_name: str, config: dict[str, Any]) -> dict[str, Any]:
        self.get_function(function_name).event_invoke_config.clear()
        return put(self, function_name, config)

    models.LambdaBackend.put_function_event_invoke_config = replaced


def complete_policies() -> None:
    """A statement's id is taken once."""
    add = Policy.add_statement

    def added(self: Any, raw: str, qualifier: str | None = None) -> Any:
        result = add(self, raw, qualifier)
        names = [statement.get("Sid") for statement in self.statements]
        if names.count(names[-1]) > 1:
            self.statements.pop()
            code, message = "ResourceConflictException", f"The statement id ({names[-1]}) provided already exists."
            raise LambdaClientError(code, message)
        return result

    Policy.add_statement = added


if __name__ == "__main__":
    complete_functions()
    complete_urls()
    complete_policies()
    complete_mappings()
    complete_asynchronous_invocation()
    complete_triggers()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    print(f"http://{host}:{port}", flush=True)
    try:
        while sys.stdin.read(1):
            time.sleep(0.1)
    finally:
        server.stop()
