"""What `pyl image` prints."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from pyl.cli.image import command

DESCRIPTION = {
    "kind": "full",
    "reasons": [],
    "bytes": 29_300_000,
    "owners": {"heap": 6_800_000, "libc.so.6": 900_000},
    "guards": [
        {"name": "", "condition": "the package stands at /var/task"},
        {"name": "TABLE", "condition": "TABLE has the build's value"},
        {"name": "PYTHONHASHSEED", "condition": "PYTHONHASHSEED is not set"},
        {"name": "PYTHONPATH", "condition": "PYTHONPATH is not set"},
        {"name": "DEBUG", "condition": "DEBUG is not set"},
    ],
    "environment": [
        {"name": "TABLE", "where": "/var/task/pyl/app/site/handlers.py:3"},
        {"name": "PYTHONHASHSEED", "where": "C code of libpython3.11.so.1.0"},
        {"name": "PYTHONPATH", "where": "C code of libpython3.11.so.1.0"},
        {"name": "DEBUG", "where": "/var/task/pyl/app/site/handlers.py:4"},
    ],
    "groups": [["orders"], ["copies", "papers"]],
    "modules": 84,
    "processor": "x86-64-v3 with AES and PCLMUL",
}
TEXT = """\
image      full, 29.3 MB, 84 modules imported
processor  x86-64-v3 with AES and PCLMUL
apart      orders
apart      copies, papers
owners
      6.8 MB  heap
      900 kB  libc.so.6
guards (used only when these hold; read at import at the place named)
  the package stands at /var/task
  TABLE has the build's value  (/var/task/pyl/app/site/handlers.py:3)
  PYTHONHASHSEED, PYTHONPATH are not set  (C code of libpython3.11.so.1.0)
  DEBUG is not set  (/var/task/pyl/app/site/handlers.py:4)
"""


def test_variables_that_are_not_set_are_told_by_their_reader(tmp_path: Path) -> None:
    (tmp_path / "pyl").mkdir()
    (tmp_path / "pyl" / "image.json").write_text(json.dumps(DESCRIPTION))
    done = CliRunner().invoke(command, [str(tmp_path)])
    assert (done.exit_code, done.output) == (0, TEXT)
