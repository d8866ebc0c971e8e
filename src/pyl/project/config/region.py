"""The default AWS region, for a project that does not name one."""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from pathlib import Path


def default_region(environ: Mapping[str, str]) -> str | None:
    """Return `AWS_REGION`, else `AWS_DEFAULT_REGION`, else the region of the AWS profile, else `None`.

    This is the order of the AWS CLI. boto3 does not read `AWS_REGION`.
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
        return None  # AWS's own tools report a broken file


def _configuration_file(environ: Mapping[str, str]) -> Path | None:
    home = environ.get("HOME")
    configured = environ.get("AWS_CONFIG_FILE")
    if configured and configured.startswith("~/") and home:
        return Path(home, configured[2:])
    if configured:
        return Path(configured)
    return Path(home, ".aws", "config") if home else None
