"""The AWS region that the surroundings name, for a project that names none."""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from pathlib import Path


def default_region(environ: Mapping[str, str]) -> str | None:
    """`AWS_REGION`, else `AWS_DEFAULT_REGION`, else the region of the AWS profile, else none.

    The order of the AWS CLI; boto3 knows all but `AWS_REGION`.
    """
    return environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or _profile_region(environ)


def _profile_region(environ: Mapping[str, str]) -> str | None:
    name = environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE") or "default"
    section = name if name == "default" else f"profile {name}"
    file = _configuration_file(environ)
    if file is None:
        return None
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read(file, encoding="utf-8")
        return parser.get(section, "region", fallback=None) or None
    except (OSError, UnicodeDecodeError, configparser.Error):
        return None  # the file is AWS's tools' to complain about


def _configuration_file(environ: Mapping[str, str]) -> Path | None:
    home = environ.get("HOME")
    named = environ.get("AWS_CONFIG_FILE")
    if named and named.startswith("~/") and home:
        return Path(home, named[2:])
    if named:
        return Path(named)
    return Path(home, ".aws", "config") if home else None
