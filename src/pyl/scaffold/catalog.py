"""The kinds of new projects, as data. Their code is in `templates/<name>/`."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

from pyl.events import samples

PLACEHOLDER = "new_function"
"""The name of the function in the templates, which are valid Python files themselves."""

DEFAULT = "direct"


@dataclass(frozen=True, kw_only=True)
class Template:
    """One kind of project."""

    name: str
    title: str
    """What invokes the function, after "a function for"."""
    keys: str = ""
    """Lines of the function's table in `pyproject.toml`; `{name}` stands for the project's name."""
    trigger: str = ""
    """Lines of its `[[...triggers]]`; empty where pyl cannot set up the trigger."""

    @property
    def handlers(self) -> str:
        """The source of the module with the function."""
        return self._text("handlers.py")

    @property
    def test(self) -> str:
        """The source of its test, which reads the event."""
        return self._text("test_handlers.py")

    @property
    def event(self) -> bytes:
        """The sample event in JSON: the template's own, else the bundled sample of this name."""
        own = self._folder.joinpath("event.json")
        return own.read_bytes() if own.is_file() else samples.load(self.name)

    @property
    def _folder(self) -> Traversable:
        return resources.files(__package__).joinpath("templates", self.name)

    def _text(self, file: str) -> str:
        return self._folder.joinpath(file).read_text(encoding="utf-8")


_STREAM = 'starting_position = "LATEST"'

TEMPLATES = {
    template.name: template
    for template in (
        Template(name="direct", title="calls by name, from the AWS CLI or an SDK"),
        Template(name="sqs", title="messages of an SQS queue", trigger='queue = "{name}"'),
        Template(name="dynamodb", title="changes of a DynamoDB table", trigger=f'table = "{{name}}"\n{_STREAM}'),
        Template(name="kinesis", title="records of a Kinesis stream", trigger=f'stream = "{{name}}"\n{_STREAM}'),
        Template(
            name="s3", title="objects that come into an S3 bucket",
            trigger='bucket = "{name}"\nevents = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]',
        ),
        Template(name="sns", title="messages of an SNS topic", trigger='topic = "{name}"'),
        Template(
            name="eventbridge", title="events of an EventBridge bus",
            trigger='pattern = { source = ["example.shop"], detail-type = ["Order Placed"] }',
        ),
        Template(name="schedule", title="times of a schedule", trigger='expression = "cron(0 6 * * ? *)"'),
        Template(name="ses", title="mail that SES receives", trigger='rule_set = "{name}"'),
        Template(name="httpapi", title="requests to an API Gateway HTTP API", trigger='route = "POST /notes"'),
        Template(name="apigateway", title="requests to an API Gateway REST API"),
        Template(
            name="functionurl", title="requests to a URL of its own",
            keys='url = "iam"  # or "public": anyone may call it',
        ),
        Template(name="alb", title="requests from a load balancer"),
    )
}  # fmt: skip
"""Templates by name, in the order in which `pyl new` offers them."""
