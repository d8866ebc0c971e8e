"""Sources that call a function are wired beside what others wired, found again, changed and unwired."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integration.deploy.triggers.conftest import ARN, Wiring
from pyl.deploy.aws import AWS
from pyl.errors import AWSError

BUCKET = 'type = "s3"\nbucket = "example-scans"'
TOPIC = 'type = "sns"\ntopic = "orders"'
EVENTS = 'type = "eventbridge"\npattern = { source = ["shop"] }'
CLOCK = 'type = "schedule"\nexpression = "rate(5 minutes)"'
MAIL = 'type = "ses"\nrule_set = "inbound"\nrecipients = ["support@example.org"]'
ROUTE = 'type = "httpapi"\nroute = "GET /orders/{id}"'
ALL = (BUCKET, TOPIC, EVENTS, CLOCK, MAIL, ROUTE)


@pytest.fixture(autouse=True)
def sources(aws: AWS) -> None:
    aws.client("s3").create_bucket(Bucket="example-scans")
    aws.client("sns").create_topic(Name="orders")
    aws.client("ses").create_receipt_rule_set(RuleSetName="inbound")


def notifications(aws: AWS) -> dict[str, Any]:
    found = aws.client("s3").get_bucket_notification_configuration(Bucket="example-scans")
    return {key: value for key, value in found.items() if key != "ResponseMetadata"}


def subscriptions(aws: AWS) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = aws.client("sns").list_subscriptions()["Subscriptions"]
    return items


def rules(aws: AWS) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = aws.client("events").list_rules()["Rules"]
    return items


def receipt_rules(aws: AWS) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = aws.client("ses").describe_receipt_rule_set(RuleSetName="inbound")["Rules"]
    return items


def apis(aws: AWS) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = aws.client("apigatewayv2").get_apis()["Items"]
    return items


def routes(aws: AWS, api: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = aws.client("apigatewayv2").get_routes(ApiId=api)["Items"]
    return items


def test_every_source_may_call_from_its_own_place_only(shop: Wiring, aws: AWS) -> None:
    shop.deploy(*ALL)
    api = apis(aws)[0]["ApiId"]
    (rule,) = (each["Arn"] for each in rules(aws) if "EventPattern" in each)
    (clock,) = (each["Arn"] for each in rules(aws) if "ScheduleExpression" in each)
    mail = f"arn:aws:ses:us-east-1:123456789012:receipt-rule-set/inbound:receipt-rule/{receipt_rules(aws)[0]['Name']}"
    allowed = {
        statement["Principal"]["Service"]: statement["Condition"]
        for statement in shop.statements()
        if statement["Condition"]["ArnLike"]["AWS:SourceArn"] != clock
    }
    account = {"StringEquals": {"AWS:SourceAccount": "123456789012"}}
    assert allowed == {
        "s3.amazonaws.com": {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::example-scans"}, **account},
        "sns.amazonaws.com": {"ArnLike": {"AWS:SourceArn": "arn:aws:sns:us-east-1:123456789012:orders"}},
        "events.amazonaws.com": {"ArnLike": {"AWS:SourceArn": rule}},
        "ses.amazonaws.com": {"ArnLike": {"AWS:SourceArn": mail}, **account},
        "apigateway.amazonaws.com": {
            "ArnLike": {"AWS:SourceArn": f"arn:aws:execute-api:us-east-1:123456789012:{api}/*/GET/orders/*"}
        },
    }
    assert len(shop.statements()) == len(ALL)


def test_all_that_was_wired_goes_with_the_configuration(shop: Wiring, aws: AWS) -> None:
    shop.deploy(*ALL)
    assert len(shop.deploy()) == len(ALL) + 1
    assert notifications(aws) == {}
    assert subscriptions(aws) == rules(aws) == receipt_rules(aws) == apis(aws) == shop.statements() == []


def test_notifications_of_others_stay_as_they_are(shop: Wiring, aws: AWS) -> None:
    queue = "arn:aws:sqs:us-east-1:123456789012:other"
    aws.client("sqs").create_queue(QueueName="other")
    others = {
        "QueueConfigurations": [{"Id": "queue", "QueueArn": queue, "Events": ["s3:ObjectRemoved:*"]}],
        "LambdaFunctionConfigurations": [
            {
                "Id": "theirs",
                "LambdaFunctionArn": ARN,
                "Events": ["s3:ObjectCreated:Put"],
                "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "other/"}]}},
            }
        ],
    }
    aws.client("s3").put_bucket_notification_configuration(Bucket="example-scans", NotificationConfiguration=others)
    before = notifications(aws)
    shop.deploy(f'{BUCKET}\nprefix = "in/"\nsuffix = ".pdf"')
    ours = [each for each in notifications(aws)["LambdaFunctionConfigurations"] if each["Id"].startswith("pyl-s3-")]
    assert [(each["LambdaFunctionArn"], each["Events"]) for each in ours] == [(ARN, ["s3:ObjectCreated:*"])]
    rules = [(rule["Name"], rule["Value"]) for rule in ours[0]["Filter"]["Key"]["FilterRules"]]
    assert [(name.lower(), value) for name, value in rules] == [("prefix", "in/"), ("suffix", ".pdf")]
    shop.deploy()
    assert notifications(aws) == before


def test_a_notification_that_was_made_by_hand_is_taken_over(shop: Wiring, aws: AWS) -> None:
    by_hand = {"Id": "hand", "LambdaFunctionArn": ARN, "Events": ["s3:ObjectCreated:*"]}
    aws.client("s3").put_bucket_notification_configuration(
        Bucket="example-scans", NotificationConfiguration={"LambdaFunctionConfigurations": [by_hand]}
    )
    shop.deploy(BUCKET)
    assert len(notifications(aws)["LambdaFunctionConfigurations"]) == 1
    assert len(shop.statements()) == 1


def test_two_notifications_of_a_bucket_are_told_apart(shop: Wiring, aws: AWS) -> None:
    two = (f'{BUCKET}\nprefix = "a/"', f'{BUCKET}\nprefix = "b/"')
    assert len(shop.deploy(*two)) == 2
    assert len(notifications(aws)["LambdaFunctionConfigurations"]) == 2
    shop.deploy(two[0])
    assert len(notifications(aws)["LambdaFunctionConfigurations"]) == 1


def test_a_notification_gives_way_to_the_one_that_takes_its_place(shop: Wiring, aws: AWS) -> None:
    """S3 refuses two that overlap, so the old one cannot wait for the end of the plan."""
    shop.deploy(f'{BUCKET}\nevents = ["s3:ObjectCreated:*"]')
    shop.deploy(f'{BUCKET}\nevents = ["s3:ObjectCreated:Put"]\nprefix = "in/"')
    (entry,) = notifications(aws)["LambdaFunctionConfigurations"]
    assert entry["Events"] == ["s3:ObjectCreated:Put"]
    assert len(shop.statements()) == 1


def test_a_notification_moves_from_one_function_of_the_project_to_another(shop: Wiring, aws: AWS) -> None:
    client = aws.client("lambda")
    client.create_function(
        FunctionName="older",
        Role=client.get_function(FunctionName="fulfil")["Configuration"]["Role"],
        Runtime="python3.11",
        Handler="functions.older",
        Code={"ZipFile": b"x"},
        Tags={"pyl:project": "shop"},
    )
    older = {"Id": "pyl-s3-0123456789ab-older", "LambdaFunctionArn": ARN.replace("fulfil", "older")}
    theirs = {"Id": "pyl-s3-0123456789ab-fulfil2", "LambdaFunctionArn": ARN}
    entries = [older | {"Events": ["s3:ObjectCreated:*"]}, theirs | {"Events": ["s3:ObjectRemoved:*"]}]
    aws.client("s3").put_bucket_notification_configuration(
        Bucket="example-scans", NotificationConfiguration={"LambdaFunctionConfigurations": entries}
    )
    shop.deploy(BUCKET)
    kept = {each["Events"][0]: each["LambdaFunctionArn"] for each in notifications(aws)["LambdaFunctionConfigurations"]}
    assert kept == {"s3:ObjectCreated:*": ARN, "s3:ObjectRemoved:*": ARN}


def test_a_notification_of_others_that_overlaps_is_refused_by_s3_and_stays(shop: Wiring, aws: AWS) -> None:
    theirs = {"Id": "theirs", "LambdaFunctionArn": ARN.replace("fulfil", "other"), "Events": ["s3:ObjectCreated:Put"]}
    aws.client("s3").put_bucket_notification_configuration(
        Bucket="example-scans", NotificationConfiguration={"LambdaFunctionConfigurations": [theirs]}
    )
    with pytest.raises(AWSError, match="Configurations overlap"):
        shop.deploy(BUCKET)
    assert [each["Id"] for each in notifications(aws)["LambdaFunctionConfigurations"]] == ["theirs"]


def test_a_topics_filter_is_set_and_taken_away(shop: Wiring, aws: AWS) -> None:
    def attributes() -> dict[str, str]:
        (arn,) = (each["SubscriptionArn"] for each in subscriptions(aws))
        values: dict[str, str] = aws.client("sns").get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        return values

    shop.deploy(f'{TOPIC}\nfilter = {{ kind = ["order"] }}\nfilter_scope = "MessageBody"')
    assert (attributes()["FilterPolicy"], attributes()["FilterPolicyScope"]) == ('{"kind":["order"]}', "MessageBody")
    assert shop.deploy(TOPIC) == ["update trigger fulfil: topic orders"]
    assert attributes()["FilterPolicy"] == "{}"
    shop.deploy(f'{TOPIC}\nfilter = {{ kind = ["gift"] }}')
    assert attributes()["FilterPolicy"] == '{"kind":["gift"]}'


def test_a_topic_may_be_named_by_its_arn_afterwards(shop: Wiring, aws: AWS) -> None:
    shop.deploy(TOPIC)
    assert shop.deploy('type = "sns"\ntopic = "arn:aws:sns:us-east-1:123456789012:orders"') == []
    assert len(subscriptions(aws)) == 1


def test_a_rule_carries_pattern_target_and_tags(shop: Wiring, aws: AWS) -> None:
    shop.deploy(EVENTS)
    (rule,) = rules(aws)
    assert rule["Name"].startswith("shop-fulfil-")
    assert (rule["EventPattern"], rule["State"]) == ('{"source":["shop"]}', "ENABLED")
    client = aws.client("events")
    assert [each["Arn"] for each in client.list_targets_by_rule(Rule=rule["Name"])["Targets"]] == [ARN]
    tags = client.list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"]
    assert tags == [{"Key": "pyl:project", "Value": "shop"}]
    shop.deploy(f"{EVENTS}\nenabled = false")
    assert [each["State"] for each in rules(aws)] == ["DISABLED"]


def test_a_rule_without_its_target_is_mended(shop: Wiring, aws: AWS) -> None:
    shop.deploy(CLOCK)
    (rule,) = rules(aws)
    aws.client("events").remove_targets(Rule=rule["Name"], Ids=["pyl"])
    assert shop.deploy(CLOCK) == ["update trigger fulfil: rate(5 minutes)"]


def test_a_rule_that_calls_something_else_too_is_kept_for_that(shop: Wiring, aws: AWS) -> None:
    shop.deploy(EVENTS)
    (rule,) = rules(aws)
    other = {"Id": "theirs", "Arn": "arn:aws:sqs:us-east-1:123456789012:other"}
    aws.client("events").put_targets(Rule=rule["Name"], Targets=[other])
    shop.deploy()
    assert [each["Id"] for each in aws.client("events").list_targets_by_rule(Rule=rule["Name"])["Targets"]] == [
        "theirs"
    ]


def test_a_schedule_hands_over_its_input(shop: Wiring, aws: AWS) -> None:
    shop.deploy(f'{CLOCK}\ninput = {{ job = "nightly" }}', CLOCK)
    client = aws.client("events")
    found = [client.list_targets_by_rule(Rule=rule["Name"])["Targets"][0].get("Input") for rule in rules(aws)]
    assert sorted(found, key=str) == [None, '{"job":"nightly"}'] or sorted(found, key=str) == [
        '{"job":"nightly"}',
        None,
    ]


def test_an_own_bus_is_used(shop: Wiring, aws: AWS) -> None:
    aws.client("events").create_event_bus(Name="shop")
    shop.deploy(f'{EVENTS}\nbus = "shop"')
    (rule,) = aws.client("events").list_rules(EventBusName="shop")["Rules"]
    assert shop.statements()[0]["Condition"]["ArnLike"]["AWS:SourceArn"] == rule["Arn"]
    shop.deploy()
    assert aws.client("events").list_rules(EventBusName="shop")["Rules"] == []


def test_a_receipt_rule_keeps_the_actions_that_others_gave_it(shop: Wiring, aws: AWS) -> None:
    aws.client("s3").create_bucket(Bucket="mails")
    shop.deploy(MAIL)
    (rule,) = receipt_rules(aws)
    assert rule["Recipients"] == ["support@example.org"]
    action = {"LambdaAction": {"FunctionArn": ARN, "InvocationType": "Event"}}
    assert rule["Actions"] == [action]
    store = {"S3Action": {"BucketName": "mails"}}
    aws.client("ses").update_receipt_rule(RuleSetName="inbound", Rule={**rule, "Actions": [store, action]})
    shop.deploy(f'{MAIL}\ninvocation = "RequestResponse"\ntls = "Require"')
    (rule,) = receipt_rules(aws)
    action = {"LambdaAction": {"FunctionArn": ARN, "InvocationType": "RequestResponse"}}
    assert (rule["Actions"], rule["TlsPolicy"]) == ([store, action], "Require")
    shop.deploy()
    assert [each["Actions"] for each in receipt_rules(aws)] == [[store]]


def test_a_rule_is_put_behind_another_one(shop: Wiring, aws: AWS) -> None:
    for name in ("second", "first"):
        aws.client("ses").create_receipt_rule(RuleSetName="inbound", Rule={"Name": name})
    shop.deploy(f'{MAIL}\nafter = "first"')
    names = [each["Name"] for each in receipt_rules(aws)]
    assert len(names) == 3
    assert names.index("first") + 1 == next(place for place, name in enumerate(names) if name.startswith("shop-"))


def test_routes_share_an_api_that_is_the_projects(shop: Wiring, aws: AWS) -> None:
    done = shop.deploy(ROUTE, 'type = "httpapi"\nroute = "ANY /carts"\nauthorization = "AWS_IAM"')
    assert done[0] == "create HTTP API shop"
    (api,) = apis(aws)
    assert (api["Name"], api["ProtocolType"], api["Tags"]) == ("shop", "HTTP", {"pyl:project": "shop"})
    client = aws.client("apigatewayv2")
    assert [(each["StageName"], each["AutoDeploy"]) for each in client.get_stages(ApiId=api["ApiId"])["Items"]] == [
        ("$default", True)
    ]
    (integration,) = client.get_integrations(ApiId=api["ApiId"])["Items"]
    assert (integration["IntegrationUri"], integration["PayloadFormatVersion"]) == (ARN, "2.0")
    target = f"integrations/{integration['IntegrationId']}"
    assert {(each["RouteKey"], each["Target"], each["AuthorizationType"]) for each in routes(aws, api["ApiId"])} == {
        ("GET /orders/{id}", target, "NONE"),
        ("ANY /carts", target, "AWS_IAM"),
    }
    sources = {each["Condition"]["ArnLike"]["AWS:SourceArn"].partition("/")[2] for each in shop.statements()}
    assert sources == {"*/GET/orders/*", "*/*/carts"}


def test_a_route_is_taken_away_and_the_others_stay(shop: Wiring, aws: AWS) -> None:
    shop.deploy(ROUTE, 'type = "httpapi"\nroute = "$default"')
    shop.deploy(ROUTE)
    (api,) = apis(aws)
    assert [each["RouteKey"] for each in routes(aws, api["ApiId"])] == ["GET /orders/{id}"]


def test_an_api_of_others_is_used_and_kept(shop: Wiring, aws: AWS) -> None:
    client = aws.client("apigatewayv2")
    api = client.create_api(Name="theirs", ProtocolType="HTTP")["ApiId"]
    client.create_route(ApiId=api, RouteKey="GET /theirs")
    shop.deploy(f'{ROUTE}\napi = "theirs"')
    assert {each["RouteKey"] for each in routes(aws, api)} == {"GET /theirs", "GET /orders/{id}"}
    shop.deploy()
    assert [each["RouteKey"] for each in routes(aws, api)] == ["GET /theirs"]


def test_a_route_that_calls_something_else_is_not_taken_over(shop: Wiring, aws: AWS) -> None:
    client = aws.client("apigatewayv2")
    api = client.create_api(Name="theirs", ProtocolType="HTTP")["ApiId"]
    made = client.create_integration(
        ApiId=api,
        IntegrationType="AWS_PROXY",
        IntegrationUri=ARN.replace("fulfil", "other"),
        PayloadFormatVersion="2.0",
    )
    client.create_route(ApiId=api, RouteKey="GET /orders/{id}", Target=f"integrations/{made['IntegrationId']}")
    with pytest.raises(AWSError, match="which pyl did not create, calls arn:aws:lambda"):
        shop.plan(f'{ROUTE}\napi = "theirs"')


@pytest.mark.parametrize(
    ("trigger", "message", "hint"),
    [
        (
            'type = "s3"\nbucket = "no-such"',
            "the bucket no-such, a trigger of fulfil, does not exist",
            "aws s3 mb s3://no-such",
        ),
        (
            'type = "sns"\ntopic = "nowhere"',
            "the topic nowhere, a trigger of fulfil, does not exist",
            "aws sns create-topic --name nowhere",
        ),
        (
            f'{EVENTS}\nbus = "nowhere"',
            "the event bus nowhere, a trigger of fulfil, does not exist",
            "create-event-bus",
        ),
        (
            'type = "ses"\nrule_set = "nowhere"',
            "the receipt rule set nowhere, a trigger of fulfil, does not exist",
            "create-receipt-rule-set",
        ),
    ],
)
def test_a_source_that_is_not_there_is_told_with_what_makes_it(
    shop: Wiring, trigger: str, message: str, hint: str
) -> None:
    with pytest.raises(AWSError) as caught:
        shop.plan(trigger)
    assert caught.value.message.startswith(message)
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize("trigger", ALL)
def test_what_an_interrupted_deployment_left_is_completed(shop: Wiring, aws: AWS, trigger: str) -> None:
    """The permission is made first, so it may stand alone."""
    shop.deploy(trigger)
    (statement,) = shop.statements()
    arn = statement["Condition"]["ArnLike"]["AWS:SourceArn"]
    client = aws.client("lambda")
    client.remove_permission(FunctionName="fulfil", StatementId=statement["Sid"])
    assert len(shop.deploy(trigger)) == 1
    assert [each["Condition"]["ArnLike"]["AWS:SourceArn"] for each in shop.statements()] == [arn]
    client.remove_permission(FunctionName="fulfil", StatementId=statement["Sid"])
    client.add_permission(
        FunctionName="fulfil",
        StatementId=statement["Sid"],
        Action="lambda:InvokeFunction",
        Principal=statement["Principal"]["Service"],
        SourceArn="arn:aws:s3:::another",
    )
    assert len(shop.deploy(trigger)) == 1
    assert [each["Condition"]["ArnLike"]["AWS:SourceArn"] for each in shop.statements()] == [arn]


def test_triggers_move_to_an_alias_with_the_function(shop: Wiring, aws: AWS) -> None:
    """A trigger that invoked the function itself invokes the alias once there is one, and nothing is left behind."""
    aws.client("sqs").create_queue(QueueName="orders")
    queue = 'type = "sqs"\nqueue = "orders"'
    shop.deploy(*ALL, queue)
    client = aws.client("lambda")
    version = client.publish_version(FunctionName="fulfil")["Version"]
    client.create_alias(FunctionName="fulfil", Name="live", FunctionVersion=version)
    shop.deploy(*ALL, queue, more='alias = "live"')
    live = f"{ARN}:live"
    assert shop.statements() == []
    policy = json.loads(client.get_policy(FunctionName="fulfil", Qualifier="live")["Policy"])
    assert len(policy["Statement"]) == len(ALL)
    assert [each["LambdaFunctionArn"] for each in notifications(aws)["LambdaFunctionConfigurations"]] == [live]
    assert [each["Endpoint"] for each in subscriptions(aws)] == [live]
    for rule in rules(aws):
        targets = aws.client("events").list_targets_by_rule(Rule=rule["Name"])["Targets"]
        assert [each["Arn"] for each in targets] == [live]
    assert [each["LambdaAction"]["FunctionArn"] for each in receipt_rules(aws)[0]["Actions"]] == [live]
    (mapping,) = client.list_event_source_mappings()["EventSourceMappings"]
    assert mapping["FunctionArn"] == live
    shop.deploy(more='alias = "live"')
    assert notifications(aws) == {}
    assert subscriptions(aws) == rules(aws) == receipt_rules(aws) == apis(aws) == []
