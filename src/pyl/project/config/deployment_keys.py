"""The keys of `[tool.pyl]` and its functions that only deployment reads, as data.

Bounds are those of https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html and of the services named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pyl.architecture import Architecture
from pyl.project.config.keys import Key, Kind, Problem
from pyl.project.diagnostics import Code

LAYERS_LIMIT = 5
"""Layers of a function."""

TAGS_LIMIT = 48
"""Tags of a function, of which AWS takes 50: two are pyl's own."""

RETENTIONS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""


@dataclass(frozen=True, kw_only=True)
class DeploymentKey(Key):
    """A key of what is only known to AWS: some integers have steps, some lists a longest length."""

    steps: tuple[int, ...] = ()
    """The only integers that AWS takes."""
    longest: int = 0
    """Elements of a list (0: any)."""

    def problem(self, value: object) -> Problem | None:
        """What is wrong with a value, if anything."""
        if self.kind is Kind.TAGS:
            return self._tags_problem(value)
        if self.kind is Kind.STATEMENTS:
            return self._statements_problem(value)
        return super().problem(value) or self._number_problem(value)

    def _number_problem(self, value: object) -> Problem | None:
        if self.steps and isinstance(value, int) and value not in self.steps:
            nearest = min(self.steps, key=lambda step: abs(step - value))
            message = f"`{self.name}` is {value}; AWS takes {', '.join(map(str, self.steps))}"
            return Problem(Code.VALUE_RANGE, message, f"the nearest possible value is {nearest}")
        if self.longest and isinstance(value, list) and len(value) > self.longest:
            message = f"`{self.name}` has {len(value)} elements; Lambda takes {self.longest}"
            return Problem(Code.VALUE_RANGE, message, "leave some out")
        return None

    def _tags_problem(self, value: object) -> Problem | None:
        if not isinstance(value, Mapping):
            return self._type_problem(value)
        if len(value) > TAGS_LIMIT:
            return Problem(Code.VALUE_RANGE, f"there are {len(value)} tags; AWS takes {TAGS_LIMIT}", "leave some out")
        for name, text in value.items():
            if not isinstance(text, str):
                hint = f'tags are strings: write {name} = "{str(text).lower()}"'
                return Problem(Code.VALUE_TYPE, f"the value of tag {name} is no string", hint, name)
            if name.lower().startswith(("aws:", "pyl:")):
                return Problem(Code.VALUE_RANGE, f"tag {name} is not yours to set", "choose another name", name)
            if not (re.fullmatch(_TAG.format(1, 128), name) and re.fullmatch(_TAG.format(0, 256), text)):
                hint = "names are 1 to 128, values up to 256 letters, digits, spaces and _ . : / = + - @"
                return Problem(Code.VALUE_RANGE, f"AWS refuses the tag {name}", hint, name)
        return None

    def _statements_problem(self, value: object) -> Problem | None:
        if not isinstance(value, list):
            return self._type_problem(value)
        for index, item in enumerate(value):
            mistake = _statement_mistake(item)
            if mistake is not None:
                message = f"`{self.name}` holds a statement {mistake}"
                return Problem(Code.VALUE_RANGE, message, f"write {self.name} = {self.example}", index)
        return None


def _statement_mistake(item: object) -> str | None:
    if not isinstance(item, Mapping):
        return "that is no table"
    if set(item) != {"actions", "resources"}:
        return "without exactly `actions` and `resources`"
    for name, pattern in {"actions": r"[a-z0-9-]+:[A-Za-z0-9*?]+|\*", "resources": r"arn:.+|\*"}.items():
        texts = item[name]
        if not isinstance(texts, list) or not texts:
            return f"whose `{name}` is no list, or an empty one"
        for text in texts:
            if not isinstance(text, str) or not re.fullmatch(pattern, text):
                return f"whose `{name}` hold {text!r}"
    return None


_TAG = r"[\w\s.:/=+@-]{{{},{}}}"
_DESTINATION = r"arn:aws[a-z-]*:(sqs|sns|lambda|events|s3):.+"

PROJECT_DEPLOYMENT_KEYS: tuple[DeploymentKey, ...] = (
    DeploymentKey(
        name="prefix",
        kind=Kind.STRING,
        meaning="What names in AWS begin with, so that a project can be deployed several times.",
        default='`""`',
        pattern=r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}",
        example='"test-"',
        variable="PYL_PREFIX",
    ),
    DeploymentKey(
        name="bucket",
        kind=Kind.STRING,
        meaning="S3 bucket for packages over 50 MB.",
        default="one that pyl makes",
        pattern=r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
        example='"my-packages"',
        variable="PYL_BUCKET",
    ),
)
"""Of `[tool.pyl]` alone."""

SHARED_KEYS: tuple[DeploymentKey, ...] = (
    DeploymentKey(
        name="role",
        kind=Kind.STRING,
        meaning="ARN of the role that functions run as.",
        default="one per function, which pyl makes",
        pattern=r"arn:aws[a-z-]*:iam::[0-9]{12}:role/.+",
        example='"arn:aws:iam::123456789012:role/orders"',
        variable="PYL_ROLE",
    ),
    DeploymentKey(
        name="policies",
        kind=Kind.STRINGS,
        meaning="ARNs of policies to attach to a role that pyl makes.",
        pattern=r"arn:aws[a-z-]*:iam::(aws|[0-9]{12}):policy/.+",
        longest=20,
        example='["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]',
    ),
    DeploymentKey(
        name="tags",
        kind=Kind.TAGS,
        meaning="Tags; a function's are added to the project's. Others that AWS has are kept.",
        example='{ team = "shop" }',
    ),
    DeploymentKey(
        name="environment_mode",
        kind=Kind.STRING,
        meaning="Whether variables that are only in AWS are kept or removed.",
        default='"merge"',
        choices=("merge", "replace"),
        example='"replace"',
    ),
    DeploymentKey(
        name="layers",
        kind=Kind.STRINGS,
        meaning="ARNs of layer versions (interpreted packages).",
        pattern=r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:layer:[A-Za-z0-9_-]+:[0-9]+",
        longest=LAYERS_LIMIT,
        example='["arn:aws:lambda:eu-central-1:123456789012:layer:tables:3"]',
    ),
    DeploymentKey(
        name="tracing",
        kind=Kind.STRING,
        meaning="X-Ray tracing.",
        choices=("Active", "PassThrough"),
        example='"Active"',
    ),
    DeploymentKey(
        name="log_retention",
        kind=Kind.INTEGER,
        meaning="Days that logs are kept.",
        minimum=1,
        maximum=RETENTIONS[-1],
        steps=RETENTIONS,
        example="30",
    ),
    DeploymentKey(
        name="log_format",
        kind=Kind.STRING,
        meaning="Format of log lines.",
        choices=("Text", "JSON"),
        example='"JSON"',
    ),
    DeploymentKey(
        name="subnets",
        kind=Kind.STRINGS,
        meaning="Subnets of the VPC to run in; `[]`: none.",
        pattern=r"subnet-[0-9a-z]+",
        longest=16,
        example='["subnet-0a1b2c3d"]',
    ),
    DeploymentKey(
        name="security_groups",
        kind=Kind.STRINGS,
        meaning="Security groups there.",
        pattern=r"sg-[0-9a-zA-Z]+",
        longest=5,
        example='["sg-0a1b2c3d"]',
    ),
    DeploymentKey(
        name="ephemeral_storage",
        kind=Kind.INTEGER,
        meaning="MB at `/tmp`.",
        minimum=512,
        maximum=10240,
        example="1024",
    ),
    DeploymentKey(
        name="alias",
        kind=Kind.STRING,
        meaning="Alias that is moved to a new version with each deployment that changes the function.",
        pattern=r"(?![0-9]+$)[A-Za-z0-9_-]{1,128}",
        example='"live"',
    ),
    DeploymentKey(
        name="publish",
        kind=Kind.BOOLEAN,
        meaning="Whether to publish a version with each deployment that changes the function; `alias` does.",
        default="false",
        example="true",
    ),
    DeploymentKey(
        name="on_success",
        kind=Kind.STRING,
        meaning="ARN of a queue, topic, function, event bus or bucket for results of asynchronous invocations.",
        pattern=_DESTINATION,
        example='"arn:aws:sqs:eu-central-1:123456789012:done"',
    ),
    DeploymentKey(
        name="on_failure",
        kind=Kind.STRING,
        meaning="The same for events that could not be handled.",
        pattern=_DESTINATION,
        example='"arn:aws:sqs:eu-central-1:123456789012:failed"',
    ),
    DeploymentKey(
        name="retries",
        kind=Kind.INTEGER,
        meaning="How often a failed asynchronous invocation is tried again.",
        minimum=0,
        maximum=2,
        example="1",
    ),
    DeploymentKey(
        name="event_age",
        kind=Kind.INTEGER,
        meaning="Seconds after which an event waits no longer to be handled.",
        minimum=60,
        maximum=21600,
        example="3600",
    ),
)
"""Of `[tool.pyl]`, for all functions that say nothing else, and of functions."""

FUNCTION_DEPLOYMENT_KEYS: tuple[DeploymentKey, ...] = (
    DeploymentKey(
        name="architecture",
        kind=Kind.STRING,
        meaning="Processor of the function.",
        default="the project's",
        choices=tuple(Architecture),
        example=f'"{Architecture.ARM64}"',
    ),
    DeploymentKey(
        name="runtime",
        kind=Kind.STRING,
        meaning="Lambda runtime, which also says which kind of package the function gets.",
        default="the package's",
        choices=("provided.al2", "provided.al2023", "python3.11", "python3.12", "python3.13"),
        example='"provided.al2023"',
    ),
    DeploymentKey(
        name="allow",
        kind=Kind.STATEMENTS,
        meaning="What the function itself may do in AWS, for the role that pyl makes.",
        example='[{ actions = ["s3:GetObject"], resources = ["arn:aws:s3:::scans/*"] }]',
    ),
    DeploymentKey(
        name="reserved_concurrency",
        kind=Kind.INTEGER,
        meaning="Invocations at a time, reserved and at most; 0 stops the function, -1 removes the reservation.",
        minimum=-1,
        maximum=1_000_000,
        example="10",
    ),
    DeploymentKey(
        name="url",
        kind=Kind.STRING,
        meaning="Function URL: for everyone, for signed requests, or none.",
        choices=("public", "iam", "off"),
        example='"iam"',
    ),
    DeploymentKey(
        name="url_mode",
        kind=Kind.STRING,
        meaning="Whether the URL answers when the function is done, or as it writes.",
        choices=("BUFFERED", "RESPONSE_STREAM"),
        example='"RESPONSE_STREAM"',
    ),
    DeploymentKey(
        name="url_origins",
        kind=Kind.STRINGS,
        meaning="Origins whose pages may call the URL (CORS).",
        pattern=r"\*|https?://.+",
        example='["https://example.org"]',
    ),
)
"""Of functions alone."""
