"""What `pyl doctor aws` says of accounts: a local AWS, and answers of IAM that it does not give."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from integration.projects import run, write_project

HANDLERS = """\
from pyl import Context, function
from pyl.events import SQSEvent

@function
def notify(context: Context, event: SQSEvent): ...
"""
_TRIGGER = """
[[tool.pyl.functions.notify.triggers]]
type = "sqs"
queue = "orders"
"""
_IDENTITY = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>{arn}</Arn><UserId>AIDA</UserId><Account>123456789012</Account></GetCallerIdentityResult>
<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>"""
_ROLE = """<GetRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetRoleResult><Role>
<Path>/teams/</Path><Arn>arn:aws:iam::123456789012:role/teams/deployer</Arn><RoleName>deployer</RoleName>
<AssumeRolePolicyDocument>%7B%7D</AssumeRolePolicyDocument><CreateDate>2024-01-01T00:00:00Z</CreateDate>
<RoleId>AROA</RoleId></Role></GetRoleResult></GetRoleResponse>"""
_RESULT = "<member><EvalActionName>{}</EvalActionName><EvalDecision>{}</EvalDecision></member>"
_SIMULATION = """<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
<SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults>{}</EvaluationResults>
</SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"""
_ERROR = """<ErrorResponse><Error><Type>Sender</Type><Code>{0}</Code><Message>{0}, it is</Message></Error>
<RequestId>1</RequestId></ErrorResponse>"""


class Account:
    """An account that answers as AWS does, with what its policies allow."""

    def __init__(self) -> None:
        self.arn = "arn:aws:sts::123456789012:assumed-role/deployer/session"
        self.denied: set[str] = set()
        self.refuses: dict[str, str] = {}
        """Operation to the error that AWS answers with."""
        self.simulated: list[tuple[str, str]] = []
        """Principal and resource of each simulation."""
        self.url = ""

    def answer(self, operation: str, query: dict[str, list[str]]) -> tuple[int, str]:
        """Status and body."""
        if operation in self.refuses:
            return 403, _ERROR.format(self.refuses[operation])
        match operation:
            case "GetCallerIdentity":
                return 200, _IDENTITY.format(arn=self.arn)
            case "GetRole":
                return 200, _ROLE
            case "SimulatePrincipalPolicy":
                self.simulated.append((query["PolicySourceArn"][0], query["ResourceArns.member.1"][0]))
                actions = [values[0] for name, values in query.items() if name.startswith("ActionNames.member.")]
                results = (_RESULT.format(a, "implicitDeny" if a in self.denied else "allowed") for a in actions)
                return 200, _SIMULATION.format("".join(results))
            case _:
                return 200, '{"Functions": []}'


@pytest.fixture
def account() -> Iterator[Account]:
    """On a port of this machine."""
    found = Account()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self._send(*found.answer(query["Action"][0], query))

        def do_GET(self) -> None:
            self._send(*found.answer("ListFunctions", {}))

        def _send(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.send_header("x-amzn-ErrorType", "AccessDeniedException")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        found.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "shop", {"handlers.py": HANDLERS}, configuration=_TRIGGER)


def findings(project: Path, account: Account, **variables: str) -> tuple[int, dict[str, dict[str, str]]]:
    """Exit code, and findings by name."""
    keys = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "a-secret-of-mine"}
    own = keys | {"AWS_ENDPOINT_URL": account.url, "AWS_EC2_METADATA_DISABLED": "true"} | variables
    done = run("doctor", "aws", "--json", "--project", project, **own)
    assert "a-secret-of-mine" not in done.out + done.err
    return done.code, {item["name"]: item for item in done.json}


def test_whose_credentials_these_are_and_what_they_allow_is_told(project: Path, account: Account) -> None:
    code, found = findings(project, account)
    assert code == 0
    assert {item["status"] for item in found.values()} == {"ok"}
    assert found["region"]["found"] == "us-east-1, for shop"
    assert found["credentials"]["found"] == f"{account.arn}, from env"


def test_the_assumed_role_is_what_is_simulated_on_the_projects_own_function(project: Path, account: Account) -> None:
    findings(project, account)
    assert {principal for principal, _ in account.simulated} == {"arn:aws:iam::123456789012:role/teams/deployer"}
    assert "arn:aws:lambda:us-east-1:123456789012:function:notify" in {resource for _, resource in account.simulated}


def test_what_is_not_allowed_is_named(project: Path, account: Account) -> None:
    account.arn = "arn:aws:iam::123456789012:user/maria"
    account.denied = {"iam:PassRole", "lambda:CreateEventSourceMapping"}
    code, found = findings(project, account)
    assert code == 5
    assert found["permissions"]["found"] == "not allowed: iam:PassRole, lambda:CreateEventSourceMapping"


def test_without_the_right_to_simulate_only_reading_is_tried(project: Path, account: Account) -> None:
    account.refuses = {"SimulatePrincipalPolicy": "AccessDenied"}
    code, found = findings(project, account)
    assert (code, found["permissions"]["status"]) == (0, "warning")
    account.refuses["ListFunctions"] = "AccessDeniedException"
    code, found = findings(project, account)
    assert (code, found["permissions"]["status"]) == (5, "failed")


def test_the_root_user_is_advised_against(project: Path, account: Account) -> None:
    account.arn = "arn:aws:iam::123456789012:root"
    code, found = findings(project, account)
    assert (code, found["permissions"]["status"]) == (0, "warning")


def test_expired_credentials_are_told_with_what_to_do(project: Path, account: Account) -> None:
    account.refuses = {"GetCallerIdentity": "ExpiredToken"}
    code, found = findings(project, account)
    assert code == 5
    assert "aws sso login" in found["credentials"]["fix"]
    assert "permissions" not in found


def test_no_credentials_are_told_with_what_to_do(project: Path, account: Account, tmp_path: Path) -> None:
    none = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "HOME": str(tmp_path)}
    code, found = findings(project, account, **none)
    assert (code, found["credentials"]["found"]) == (5, "none")
    assert "aws configure" in found["credentials"]["fix"]


def test_an_unknown_profile_is_told(project: Path, account: Account) -> None:
    code, found = findings(project, account, AWS_PROFILE="nobody")
    assert code == 5
    assert "nobody" in found["credentials"]["found"]
