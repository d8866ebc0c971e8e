"""Templates say what the configuration says, and the tools' own checkers take them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml
from cfnlint.api import ManualArgs, lint

from integration.deploy.local_aws import run_here
from integration.projects import EXAMPLES, write_project

CODE = """\
from pyl import Context, batch, function
from pyl.events import APIGatewayEvent

@function
def worker(context: Context, event: dict):
    "Does \\"everything\\": ${not} %{interpolated}"
    return batch.process(event, print)

@function
def page(context: Context, event: APIGatewayEvent):
    return {"statusCode": 200}
"""
ARN = "arn:aws:sqs:eu-central-1:123456789012"
EVERYTHING = f"""
target = "provided.al2023"
tags = {{ team = "shop" }}

[tool.pyl.functions.worker]
memory = 256
timeout = 20
environment = {{ TABLE = "orders", ODD = "${{x}} \\\\ \\" \\n é" }}
tracing = "Active"
log_retention = 30
log_format = "JSON"
ephemeral_storage = 1024
reserved_concurrency = 5
subnets = ["subnet-0a1b2c3d"]
security_groups = ["sg-0a1b2c3d"]
alias = "live"
on_failure = "{ARN}:failed"
retries = 1
event_age = 3600
url = "public"
url_mode = "RESPONSE_STREAM"
url_origins = ["https://example.org"]
allow = [{{ actions = ["dynamodb:GetItem"], resources = ["arn:aws:dynamodb:*:*:table/orders"] }}]

[[tool.pyl.functions.worker.triggers]]
type = "sqs"
queue = "orders"
batch_size = 50
batch_window = 5
maximum_concurrency = 3
filters = [{{ body = {{ kind = ["order", "gift"] }} }}]

[[tool.pyl.functions.worker.triggers]]
type = "dynamodb"
table = "Orders"
retries = 3
on_failure = "{ARN}:failed"

[[tool.pyl.functions.worker.triggers]]
type = "kinesis"
stream = "clicks"
starting_position = "TRIM_HORIZON"
bisect = true

[[tool.pyl.functions.worker.triggers]]
type = "s3"
bucket = "example-scans"
prefix = "in/"

[[tool.pyl.functions.worker.triggers]]
type = "s3"
bucket = "example-scans"
prefix = "out/"

[[tool.pyl.functions.worker.triggers]]
type = "sns"
topic = "orders"
filter = {{ kind = ["order"] }}

[[tool.pyl.functions.worker.triggers]]
type = "eventbridge"
pattern = {{ source = ["shop"], detail-type = ["OrderPlaced"] }}

[[tool.pyl.functions.worker.triggers]]
type = "eventbridge"
pattern = {{ source = ["warehouse"] }}
enabled = false

[[tool.pyl.functions.worker.triggers]]
type = "schedule"
expression = "cron(0 8 * * ? *)"
input = {{ job = "nightly" }}

[[tool.pyl.functions.worker.triggers]]
type = "ses"
rule_set = "inbound"
recipients = ["support@example.org"]

[tool.pyl.functions.page]
role = "arn:aws:iam::123456789012:role/page"

[[tool.pyl.functions.page.triggers]]
type = "httpapi"
route = "GET /orders/{{id}}"

[[tool.pyl.functions.page.triggers]]
type = "httpapi"
route = "$default"
authorization = "AWS_IAM"
"""
NAMES = sorted(file.parent.name for file in EXAMPLES.glob("*/pyproject.toml"))


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("templates") / "shop"
    folder.mkdir()
    return write_project(folder, {"app.py": CODE}, configuration=EVERYTHING)


def made(tool: str, project: Path, *options: str) -> str:
    return run_here("template", tool, "--project", project, *options).succeeded().out


@pytest.mark.parametrize("name", ["everything", *NAMES])
def test_a_template_passes_cfn_lint(name: str, everything: Path) -> None:
    project = everything if name == "everything" else EXAMPLES / name
    # Errors and warnings, but for the end of runtimes: that is the configuration's choice, and pyl says it, too.
    rules = ManualArgs(regions=["us-east-1"], ignore_checks=["W2531"])
    assert [str(match) for match in lint(made("sam", project, "--native"), config=rules)] == []


@pytest.mark.parametrize("name", ["everything", *NAMES])
def test_a_configuration_is_well_formed_for_a_parser_of_hcl(name: str, everything: Path) -> None:
    project = everything if name == "everything" else EXAMPLES / name
    parsed = hcl2.loads(made("terraform", project, "--native"))
    assert {"terraform", "data", "resource"} <= set(parsed)


def test_a_sam_template_says_what_the_configuration_says(everything: Path) -> None:
    resources = yaml.safe_load(made("sam", everything, "--native"))["Resources"]
    worker = resources["WorkerFunction"]["Properties"]
    assert (worker["FunctionName"], worker["Handler"], worker["Runtime"]) == (
        "worker",
        "functions.worker",
        "provided.al2023",
    )
    assert worker["Description"] == 'Does "everything": ${not} %{interpolated}'
    assert worker["Environment"] == {"Variables": {"TABLE": "orders", "ODD": '${x} \\ " \n é'}}
    assert (worker["MemorySize"], worker["Timeout"], worker["AutoPublishAlias"]) == (256, 20, "live")
    assert [event["Type"] for event in worker["Events"].values()] == [
        "SQS",
        "DynamoDB",
        "Kinesis",
        "S3",
        "S3",
        "SNS",
        "EventBridgeRule",
        "CloudWatchEvent",
        "Schedule",
    ]
    queue = worker["Events"]["Sqs1"]["Properties"]
    assert queue == {
        "Queue": {"Fn::Sub": "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:orders"},
        "BatchSize": 50,
        "MaximumBatchingWindowInSeconds": 5,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "FilterCriteria": {"Filters": [{"Pattern": '{"body":{"kind":["order","gift"]}}'}]},
        "ScalingConfig": {"MaximumConcurrency": 3},
    }
    assert resources["WorkerInboundRule10"]["Properties"]["Rule"]["Actions"][0]["LambdaAction"]["FunctionArn"] == {
        "Ref": "WorkerFunctionAliaslive"
    }
    page = resources["PageFunction"]["Properties"]
    assert "Policies" not in page
    routes = [event["Properties"] for event in page["Events"].values() if event["Type"] == "HttpApi"]
    assert [(route.get("Method"), route.get("Path"), route["PayloadFormatVersion"]) for route in routes] == [
        ("GET", "/orders/{id}", "1.0"),
        (None, None, "1.0"),
    ]


def test_a_terraform_configuration_says_what_the_configuration_says(everything: Path) -> None:
    resources = terraform(everything)
    worker = resources["aws_lambda_function", "worker"]
    assert (worker["memory_size"], worker["timeout"], worker["publish"]) == (256, 20, True)
    assert worker["description"] == 'Does "everything": $${not} %%{interpolated}'
    assert worker["environment"][0]["variables"]["ODD"] == '$${x} \\ " \n é'
    mapping = resources["aws_lambda_event_source_mapping", "worker_sqs_1"]
    assert mapping["function_name"] == "${aws_lambda_alias.worker.arn}"
    assert (mapping["batch_size"], mapping["function_response_types"]) == (50, ["ReportBatchItemFailures"])
    assert json.loads(mapping["filter_criteria"][0]["filter"][0]["pattern"]) == {"body": {"kind": ["order", "gift"]}}
    stream = resources["aws_lambda_event_source_mapping", "worker_dynamodb_2"]
    assert stream["event_source_arn"] == "${data.aws_dynamodb_table.orders.stream_arn}"
    notification = resources["aws_s3_bucket_notification", "example_scans"]
    assert [each["filter_prefix"] for each in notification["lambda_function"]] == ["in/", "out/"]
    assert ("aws_iam_role", "page") not in resources
    assert resources["aws_lambda_function", "page"]["role"] == "arn:aws:iam::123456789012:role/page"
    assert {label for kind, label in resources if kind == "aws_apigatewayv2_route"} == {
        "page_httpapi_1",
        "page_httpapi_2",
    }
    permissions = {label for kind, label in resources if kind == "aws_lambda_permission"}
    assert permissions == {
        "worker_url",
        "worker_url_invoke",
        "worker_s3_4",
        "worker_s3_5",
        "worker_sns_6",
        "worker_eventbridge_7",
        "worker_eventbridge_8",
        "worker_schedule_9",
        "worker_ses_10",
        "page_httpapi_1",
        "page_httpapi_2",
    }


def terraform(project: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """The resources by kind and label, with strings as they are written between their quotes."""
    parsed = hcl2.loads(made("terraform", project))
    return {
        (plain(kind), plain(label)): plain(body)
        for resource in parsed["resource"]
        for kind, labelled in resource.items()
        for label, body in labelled.items()
    }


def plain(value: Any) -> Any:
    """Without the quotes that python-hcl2 leaves around strings, and with their escapes undone."""
    if isinstance(value, dict):
        return {plain(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, str) and value.startswith('"') and value.endswith('"'):
        return json.loads(value)
    return value


def test_a_template_is_written_to_a_file_and_names_packages_from_there(everything: Path, tmp_path: Path) -> None:
    out = everything / "infra.yaml"
    done = run_here("template", "sam", "page", "--project", everything, "--out", out).succeeded()
    assert done.out == f"{out}\n"
    assert "does not exist yet: run `pyl build`" in done.err
    content = yaml.safe_load(out.read_text("utf-8"))
    assert "WorkerFunction" not in content["Resources"]
    assert content["Resources"]["PageFunction"]["Properties"]["CodeUri"] == "build/pyl/interpreted.zip"
    out.unlink()


@pytest.mark.parametrize("tool", ["sam", "terraform"])
def test_functions_that_a_template_could_not_tell_apart_are_refused(tmp_path: Path, tool: str) -> None:
    code = "from pyl import function\n@function(name='{0}')\ndef {1}(context, event): ...\n"
    files = {"one.py": code.format("send-mail", "a"), "two.py": code.format("send_mail", "b")}
    (tmp_path / "shop").mkdir()
    project = write_project(tmp_path / "shop", files)
    done = run_here("template", tool, "--project", project)
    assert (done.code, done.out) == (2, "")
    assert "send-mail and send_mail would both be named" in done.err
    assert run_here("template", tool, "send-mail", "--project", project).code == 0


def test_an_unknown_function_or_tool_is_refused(everything: Path) -> None:
    assert run_here("template", "sam", "pages", "--project", everything).code == 2
    assert run_here("template", "pulumi", "--project", everything).code == 2
