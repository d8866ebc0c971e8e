"""What is known of a project's function when it is deployed."""

from __future__ import annotations

from pyl.lambda_facts import Deployment
from pyl.project.model import Function, Project


def deployment_of(project: Project, function: Function) -> Deployment:
    """Return how Lambda will run a function of a project."""
    configuration = function.configuration
    log_format = configuration.deployment.log_format
    return Deployment(
        function=f"{project.configuration.prefix}{function.name}",
        handler=f"functions.{function.name}",
        region=project.configuration.region,
        memory=configuration.memory,
        log_format=log_format,
        log_level="INFO" if log_format == "JSON" else None,
    )
