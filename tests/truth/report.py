"""The table of a run, and its summary."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from truth.case import Case
from truth.verdicts import Verdict


@dataclass(frozen=True)
class Row:
    """One case of a run."""

    kind: str
    case: str
    verdict: str
    image: str
    reason: str

    def to_json(self) -> str:
        """Return it as text, for a report of pytest."""
        return json.dumps(asdict(self))


def row(case: Case, verdict: Verdict) -> Row:
    """Return the row of a case."""
    if not verdict.holds:
        word = "FAILS"
    elif verdict.image != "full":
        word = "not full, place named"
    else:
        word = {"same": "same answer", "distinct": "nothing repeats", "noted": "noted"}[case.expectation]
    return Row(case.kind, case.name, word, verdict.image, verdict.reason)


def write_report(path: Path, encoded_rows: Sequence[str]) -> list[str]:
    """Write the table of all cases, failed ones first, and return the lines of the summary."""
    rows = [Row(**json.loads(text)) for text in encoded_rows]
    rows.sort(key=lambda each: (each.verdict != "FAILS", each.kind, each.case))
    counts = Counter(each.verdict for each in rows)
    total = f"{len(rows)} cases, {len(rows) - counts['FAILS']} hold, {counts['FAILS']} fail"
    lines = ["# The image and the plain start", "", f"{total}.", ""]
    lines += [
        "| verdict | cases |",
        "| --- | ---: |",
        *(f"| {word} | {count} |" for word, count in counts.most_common()),
    ]
    lines += ["", "| kind | case | verdict | image | why |", "| --- | --- | --- | --- | --- |"]
    for each in rows:
        lines.append("| " + " | ".join(_cell(text) for text in asdict(each).values()) + " |")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return [total, *(f"{count:5} {word}" for word, count in counts.most_common())]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
