"""Packages over 50 MB go to Lambda by S3, in parts, once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from integration.deploy.local_aws import REGION, RESET, LocalAWS, run_here
from integration.deploy.test_functions import ACCOUNT, deploy, function, sha256
from integration.projects import HELLO, write_project
from pyl.deploy import code as upload
from pyl.deploy.aws import AWS
from pyl.deploy.code import Code
from pyl.errors import AWSError

MANAGED = f"pyl-packages-{ACCOUNT}-{REGION}"


class Listener:
    """Progress that keeps what it is told."""

    def __init__(self) -> None:
        self.details: list[str] = []

    def detail(self, text: str) -> None:
        self.details.append(text)


def connected(local_aws: LocalAWS) -> AWS:
    from integration.deploy.test_faults import connected as connect

    return connect(local_aws, 3)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    two = {"app.py": HELLO, "more.py": HELLO.replace("def hello", "def other")}
    return write_project(tmp_path / "shop", two)


def test_a_large_package_is_uploaded_once_for_all_functions_and_in_parts(
    local_aws: LocalAWS, project: Path, large_package: Path
) -> None:
    deploy(local_aws, project, large_package, "--yes").succeeded()
    for name in ("hello", "other"):
        assert function(local_aws, name)["Configuration"]["CodeSha256"] == sha256(large_package)
    parts = [call for call in local_aws.writes if re.match(rf"s3 PUT /{MANAGED}/.*zip", call)]
    assert len(parts) == 4
    assert sum("POST" in call and ".zip" in call for call in local_aws.writes) == 2  # begun and completed
    local_aws.calm()
    deploy(local_aws, project, large_package).succeeded()
    assert local_aws.writes == []


def test_the_bucket_that_pyl_makes_is_private_tagged_and_emptied_of_what_is_old(
    local_aws: LocalAWS, project: Path, large_package: Path
) -> None:
    deploy(local_aws, project, large_package, "--yes").succeeded()
    s3 = local_aws.client("s3")
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == [MANAGED]
    assert s3.get_bucket_location(Bucket=MANAGED)["LocationConstraint"] == REGION
    assert all(s3.get_public_access_block(Bucket=MANAGED)["PublicAccessBlockConfiguration"].values())
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=MANAGED)["Rules"]
    assert rule["Expiration"] == {"Days": 30}
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert s3.get_bucket_tagging(Bucket=MANAGED)["TagSet"] == [{"Key": "pyl:managed", "Value": "packages"}]


def test_a_given_bucket_is_used_and_left_as_it_is(local_aws: LocalAWS, project: Path, large_package: Path) -> None:
    s3 = local_aws.client("s3")
    s3.create_bucket(Bucket="mine", CreateBucketConfiguration={"LocationConstraint": REGION})
    deploy(local_aws, project, large_package, "--yes", PYL_BUCKET="mine").succeeded()
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["mine"]
    (stored,) = s3.list_objects_v2(Bucket="mine")["Contents"]
    assert stored["Size"] == large_package.stat().st_size


def test_a_given_bucket_that_is_not_there_is_told(local_aws: LocalAWS, project: Path, large_package: Path) -> None:
    done = deploy(local_aws, project, large_package, "--yes", PYL_BUCKET="nowhere")
    assert done.code == 5
    assert "cannot create function hello" in done.err
    assert "nowhere" in done.err


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Code:
    """What would be a small package, uploaded as a large one is."""
    monkeypatch.setattr(upload, "DIRECT_UPLOAD_LIMIT", 0)
    file = tmp_path / "package.zip"
    file.write_bytes(b"PK" * 1000)
    return Code(path=file, project="shop")


def test_an_interrupted_preparation_of_the_bucket_is_completed(local_aws: LocalAWS, small_parts: Code) -> None:
    aws, listener = connected(local_aws), Listener()
    assert small_parts.arguments(aws, listener)["S3Bucket"] == MANAGED  # type: ignore[arg-type]
    reference = local_aws.writes
    assert len(reference) == 5
    for number in range(len(local_aws.calls)):
        local_aws.forget()
        once = connected(local_aws)
        once.attempts = 1
        local_aws.decide = lambda _call, index, number=number: RESET if index >= number else None  # type: ignore[misc]
        code = Code(path=small_parts.path, project="shop")
        with pytest.raises(AWSError), once.errors("upload"):
            code.arguments(once, listener)  # type: ignore[arg-type]
        local_aws.calm()
        code.arguments(once, listener)  # type: ignore[arg-type]
        s3 = local_aws.client("s3")
        assert s3.get_bucket_lifecycle_configuration(Bucket=MANAGED)["Rules"]
        assert s3.get_bucket_tagging(Bucket=MANAGED)["TagSet"]
        assert all(s3.get_public_access_block(Bucket=MANAGED)["PublicAccessBlockConfiguration"].values())
        assert len(s3.list_objects_v2(Bucket=MANAGED)["Contents"]) == 1


def test_what_is_there_already_is_not_uploaded_again(local_aws: LocalAWS, small_parts: Code) -> None:
    aws, listener = connected(local_aws), Listener()
    small_parts.arguments(aws, listener)  # type: ignore[arg-type]
    assert listener.details[-1] == "0.0 of 0.0 MB uploaded"
    local_aws.calm()
    Code(path=small_parts.path, project="shop").arguments(aws, listener)  # type: ignore[arg-type]
    assert local_aws.writes == []


def test_a_bucket_of_another_account_is_not_used(local_aws: LocalAWS, small_parts: Code) -> None:
    from integration.deploy.local_aws import Fault

    local_aws.decide = lambda call, _: Fault(403, "403") if call.operation == f"HEAD /{MANAGED}" else None
    with pytest.raises(Exception, match="belongs to another account"):
        small_parts.arguments(connected(local_aws), Listener())  # type: ignore[arg-type]


def test_the_help_tells_what_deploy_does() -> None:
    assert "--dry-run" in run_here("deploy", "--help").succeeded().out
