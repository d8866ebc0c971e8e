"""Single variables by name: Lambda's own, configured ones, and those that settings packages look up."""

from __future__ import annotations

from truth.case import Case, alone, at_import, in_call, in_warm_up

_PYDANTIC = """
import pydantic_settings

class Settings(pydantic_settings.BaseSettings):
    aws_lambda_function_name: str = "absent"
    aws_lambda_log_stream_name: str = "absent"
    aws_region: str = "absent"

SETTINGS = Settings()

def handler(event, context):
    return SETTINGS.model_dump()
"""
_PYDANTIC_OWN = """
import pydantic_settings

class Settings(pydantic_settings.BaseSettings):
    model_config = pydantic_settings.SettingsConfigDict(env_prefix="APP_")
    table: str
    limit: int = 5

SETTINGS = Settings()

def handler(event, context):
    return SETTINGS.model_dump()
"""
_DYNACONF = """
from dynaconf import Dynaconf

settings = Dynaconf(envvar_prefix=False)
NAME = settings.get("AWS_LAMBDA_FUNCTION_NAME", "absent")
STREAM = settings.get("AWS_LAMBDA_LOG_STREAM_NAME", "absent")

def handler(event, context):
    return [NAME, STREAM]
"""
_DYNACONF_PREFIX = """
from dynaconf import Dynaconf

settings = Dynaconf(envvar_prefix="AWS")
NAME = settings.get("LAMBDA_FUNCTION_NAME", "absent")

def handler(event, context):
    return NAME
"""
_DECOUPLE = """
from decouple import config

KIND = config("AWS_LAMBDA_INITIALIZATION_TYPE", default="absent")
STREAM = config("AWS_LAMBDA_LOG_STREAM_NAME", default="absent")

def handler(event, context):
    return [KIND, STREAM]
"""
_ENVIRONS = """
from environs import Env

env = Env()
KIND = env.str("AWS_LAMBDA_INITIALIZATION_TYPE", "absent")
MEMORY = env.int("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", 0)

def handler(event, context):
    return [KIND, MEMORY]
"""
_ARGPARSE = """
import argparse, os

parser = argparse.ArgumentParser()
parser.add_argument("--stream", default=os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME"))
OPTIONS = parser.parse_args([])

def handler(event, context):
    return vars(OPTIONS)
"""
_DATACLASS = """
import os
from dataclasses import dataclass, field

@dataclass
class Settings:
    region: str = field(default_factory=lambda: os.environ["AWS_REGION"])
    token: str = field(default_factory=lambda: os.environ["AWS_SESSION_TOKEN"])

SETTINGS = Settings()

def handler(event, context):
    return [SETTINGS.region, SETTINGS.token]
"""


def _get(name: str, variable: str, *, is_chosen: bool = False, log_format: str | None = None) -> Case:
    return at_import(name, f'os.environ.get("{variable}", "absent")', is_chosen=is_chosen, log_format=log_format)


CASES = (
    _get("get_initialization_type", "AWS_LAMBDA_INITIALIZATION_TYPE", is_chosen=True),
    alone(_get("get_function_name", "AWS_LAMBDA_FUNCTION_NAME", is_chosen=True)),
    _get("get_memory_size", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
    _get("get_version", "AWS_LAMBDA_FUNCTION_VERSION"),
    alone(_get("get_log_group", "AWS_LAMBDA_LOG_GROUP_NAME")),
    _get("get_log_stream", "AWS_LAMBDA_LOG_STREAM_NAME", is_chosen=True),
    _get("get_log_format", "AWS_LAMBDA_LOG_FORMAT"),
    _get("get_log_format_json", "AWS_LAMBDA_LOG_FORMAT", log_format="JSON"),
    _get("get_log_level_json", "AWS_LAMBDA_LOG_LEVEL", log_format="JSON"),
    _get("get_runtime_api", "AWS_LAMBDA_RUNTIME_API"),
    _get("get_metadata_token", "AWS_LAMBDA_METADATA_TOKEN"),
    _get("get_metadata_api", "AWS_LAMBDA_METADATA_API"),
    _get("get_xray_daemon", "AWS_XRAY_DAEMON_ADDRESS"),
    _get("get_xray_port", "_AWS_XRAY_DAEMON_PORT"),
    _get("get_xray_context_missing", "AWS_XRAY_CONTEXT_MISSING"),
    _get("get_trace_id", "_X_AMZN_TRACE_ID"),
    alone(_get("get_handler", "_HANDLER")),
    _get("get_region", "AWS_REGION", is_chosen=True),
    _get("get_default_region", "AWS_DEFAULT_REGION"),
    _get("get_access_key", "AWS_ACCESS_KEY_ID"),
    _get("get_session_token", "AWS_SESSION_TOKEN", is_chosen=True),
    _get("get_language", "LANG"),
    _get("get_time_zone", "TZ"),
    _get("get_search_path", "PATH"),
    _get("get_library_path", "LD_LIBRARY_PATH"),
    _get("get_task_root", "LAMBDA_TASK_ROOT"),
    _get("get_home", "HOME"),
    _get("get_execution_environment", "AWS_EXECUTION_ENV"),
    _get("get_bind_now", "LD_BIND_NOW", is_chosen=True),
    _get("get_metadata_disabled", "AWS_EC2_METADATA_DISABLED"),
    _get("get_hash_seed", "PYTHONHASHSEED"),
    _get("get_undefined", "APP_UNDEFINED"),
    at_import("has_runtime_api", '"AWS_LAMBDA_RUNTIME_API" in os.environ', is_chosen=True),
    at_import("has_initialization_type", '"AWS_LAMBDA_INITIALIZATION_TYPE" in os.environ.keys()'),
    at_import("has_bind_now", '[name in os.environ for name in ("LD_BIND_NOW", "AWS_EC2_METADATA_DISABLED")]'),
    at_import("has_pyl_variables", '[name for name in os.environ if name.startswith(("PYL", "PYTHON"))]'),
    alone(at_import("item_function_name", 'os.environ["AWS_LAMBDA_FUNCTION_NAME"]')),
    at_import("item_log_stream", 'os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]'),
    alone(at_import("getenv_function_name", 'os.getenv("AWS_LAMBDA_FUNCTION_NAME")')),
    at_import("getenvb_log_stream", 'os.getenvb(b"AWS_LAMBDA_LOG_STREAM_NAME").decode()'),
    at_import("environb_item", 'os.environb[b"AWS_LAMBDA_LOG_STREAM_NAME"].decode()'),
    alone(at_import("setdefault_initialization", 'os.environ.setdefault("AWS_LAMBDA_INITIALIZATION_TYPE", "here")')),
    alone(at_import("pop_initialization", 'os.environ.pop("AWS_LAMBDA_INITIALIZATION_TYPE", "absent")')),
    at_import("default_of_configured", 'os.environ.get("TABLE", "none")', environment={"TABLE": "orders"}),
    at_import(
        "configured_prefix",
        '{k: v for k, v in os.environ.items() if k.startswith("APP_")}',
        environment={"APP_TABLE": "orders"},
    ),
    at_import("chosen_by_region", '{"us-east-1": "a", "eu-west-1": "b"}[os.environ["AWS_REGION"]]'),
    in_warm_up("get_log_stream_in_warm_up", 'os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", "absent")', is_chosen=True),
    in_warm_up("get_initialization_in_warm_up", 'os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE", "absent")'),
    in_warm_up("get_access_key_in_warm_up", 'os.environ.get("AWS_ACCESS_KEY_ID", "absent")', is_chosen=True),
    in_warm_up("get_trace_id_in_warm_up", 'os.environ.get("_X_AMZN_TRACE_ID", "absent")', is_chosen=True),
    in_call(
        "get_in_call",
        '[os.environ.get(n) for n in ("_HANDLER", "_X_AMZN_TRACE_ID", "AWS_LAMBDA_LOG_STREAM_NAME")]',
        must_be_full=True,
    ),
    Case(
        "set_at_import",
        'import os\nos.environ["APP_SET"] = "1"\ndef handler(event, context):\n'
        '    return [os.environ["APP_SET"], os.popen("echo $APP_SET").read()]\n',
        is_chosen=True,
        needs_own_package=True,
    ),
    Case(
        "deleted_at_import",
        'import os\nos.environ.pop("AWS_SESSION_TOKEN", None)\ndef handler(event, context):\n'
        '    return os.environ.get("AWS_SESSION_TOKEN", "absent")\n',
        needs_own_package=True,
    ),
    Case(
        "overwritten_at_import",
        'import os\nos.environ["AWS_REGION"] = "eu-west-1"\ndef handler(event, context):\n'
        '    return [os.environ["AWS_REGION"], os.popen("echo $AWS_REGION").read()]\n',
        needs_own_package=True,
    ),
    Case("argparse_default", _ARGPARSE),
    Case("dataclass_settings", _DATACLASS),
    Case("pydantic_settings_names", _PYDANTIC, requires=("pydantic-settings",), is_chosen=True),
    Case(
        "pydantic_settings_own",
        _PYDANTIC_OWN,
        requires=("pydantic-settings",),
        environment={"APP_TABLE": "orders"},
        must_be_full=True,
    ),
    alone(Case("dynaconf_names", _DYNACONF, requires=("dynaconf",))),
    alone(Case("dynaconf_prefix", _DYNACONF_PREFIX, requires=("dynaconf",))),
    Case("decouple_names", _DECOUPLE, requires=("python-decouple",)),
    Case("environs_names", _ENVIRONS, requires=("environs",)),
)
