"""Creates the process image of an unpacked native package: runs its program and stores its memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pyl.errors import BuildError
from pyl.image.capture import cold_start_profile, environment_groups
from pyl.image.capture.acceptance import is_accepted, unused
from pyl.image.capture.judgement import Finding
from pyl.image.capture.placement import Placement
from pyl.image.capture.protocol import PlacementMode
from pyl.image.capture.sandboxed_program import CannotCapture
from pyl.image.capture.session import Session
from pyl.image.capture.world import PROCESSORS
from pyl.image.file import description, names
from pyl.image.file import format as image_format
from pyl.image.file.format import Variant
from pyl.image.result import CaptureResult
from pyl.image.snapshot import BASE, FULL
from pyl.image.variants import Judgement, base_variant, full_variant, judge
from pyl.lambda_facts import Deployment, deployed_variables
from pyl.progress import Progress, Silent
from pyl.project.config.model import ImageMode


@dataclass(frozen=True)
class FunctionFacts:
    """What is known of a function when it is deployed.

    Attributes:
        environment: The variables that it is configured with.
        deployment: What Lambda tells it.
    """

    environment: Mapping[str, str]
    deployment: Deployment

    def variables(self) -> dict[str, str]:
        """Return all values by which functions may need images of their own."""
        return {
            **deployed_variables(self.deployment),
            **self.environment,
            PROCESSORS: str(self.deployment.processors),
        }


class ImageRefused(BuildError):
    """`image = "require"`, and the image could not be taken."""


def capture(
    package: Path,
    *,
    environment: Mapping[str, str],
    functions: Mapping[str, FunctionFacts] | None = None,
    warm_up: Mapping[str, Any] | None = None,
    mode: ImageMode = "auto",
    accept: Sequence[str] = (),
    progress: Progress | None = None,
    arguments: Sequence[str] = (),
) -> CaptureResult:
    """Run the program of an unpacked package at `/var/task`, and write its image into the package.

    Args:
        package: The folder of the package.
        environment: The variables that all functions have in common, with the region.
        functions: What is known of each function when it is deployed. If modules read at import what differs there,
            functions get images of their own.
        warm_up: Function names to events; each is called before the image is taken.
        mode: Whether an image is wanted.
        accept: Places in the code that may keep something of one instance; see `pyl.image.capture.acceptance`.
        progress: Where progress is reported.
        arguments: Of the program.

    Raises:
        ImageRefused: `mode` is `require` and no full image could be taken.
    """
    progress = progress or Silent()
    names.remove(package)
    if mode == "off":
        return CaptureResult("none", ("image = false",))
    try:
        with progress.step("Capturing the process image"):
            result = _capture(package, environment, functions or {}, warm_up or {}, arguments, accept)
    except CannotCapture as error:
        result = CaptureResult("none", (str(error),))
    if result.kind == "none":
        names.remove(package)  # written for a profile
    if mode == "require" and result.kind != "full":
        reasons = "\n".join(f"  {reason}" for reason in result.reasons)
        msg = f"no full process image could be taken\n{reasons}"
        raise ImageRefused(msg, hint="see docs/images.md; `image = true` in [tool.pyl.native] builds without it")
    description.write(package, result)
    for finding in result.accepted:
        progress.note(f"process image: accepted: {finding}")
    for note in result.notes:
        progress.note(f"process image: {note}")
    for reason in result.reasons:
        progress.note(f"process image: {result.kind}: {reason}")
    return result


def _capture(
    package: Path,
    environment: Mapping[str, str],
    functions: Mapping[str, FunctionFacts],
    warm_up: Mapping[str, Any],
    arguments: Sequence[str],
    accept: Sequence[str],
) -> CaptureResult:
    first = Session(
        package,
        environment,
        warm_up,
        arguments,
        placement=Placement(PlacementMode.RECORDED),
        deployment=next((facts.deployment for facts in functions.values()), None),
    ).run()
    judgement = judge(first)
    sessions, judgements = [first], [judgement]
    if further := [session.run() for session in _further(first, functions, judgement)]:
        sessions, judgements = further, [judge(session) for session in further]
    accepted: dict[Finding, None] = {}
    for session, judged in zip(sessions, judgements, strict=True):
        accepted |= dict.fromkeys(_drop_what_is_not_true(session, judged, accept))
    result = _compose(sessions, judgements, package)
    notes = (f"`accept` names {entry}, which keeps nothing of its instance" for entry in unused(accept, accepted))
    return replace(result, accepted=tuple(map(str, accepted)), notes=(*result.notes, *notes))


def _further(first: Session, functions: Mapping[str, FunctionFacts], judgement: Judgement) -> Iterator[Session]:
    """Yield a session for each group of functions if one image cannot serve all."""
    variables = {name: facts.variables() for name, facts in functions.items()}
    groups = environment_groups.partition_by_environment(first, variables, swept_matter=judgement.swept_matter)
    for group in groups:
        environments = [functions[name].environment for name in group]
        yield Session(
            first.package,
            {**first.environment, **environment_groups.common_variables(environments)},
            {name: event for name, event in first.warm_up.items() if name in group},
            first.arguments,
            functions=group,
            like=first,
            placement=Placement(PlacementMode.RECORDED),
            deployment=functions[group[0]].deployment,
        )


def _compose(sessions: Sequence[Session], judgements: Sequence[Judgement], package: Path) -> CaptureResult:
    """Write the full images of all sessions that have one, then a base image."""
    placed = [
        _placed(session, judgement, base=index == 0)
        for index, (session, judgement) in enumerate(zip(sessions, judgements, strict=True))
    ]
    base = next((index for index, session in enumerate(placed) if BASE in session.snapshots), 0)
    for session in placed:
        session.drop_unsupported()
    usable = [index for index, session in enumerate(placed) if FULL in session.snapshots]
    with_full_image = [placed[index] for index in usable]
    variants = [full_variant(placed[index], judgements[index]) for index in usable]
    if BASE in placed[base].snapshots:
        variants.append(base_variant(placed[base], judgements[base]))
    reasons = tuple(reason for session in placed if session not in with_full_image for reason in _reasons(session))
    if not variants:
        return CaptureResult("none", reasons, output=placed[0].output)
    image_format.write(package, _with_working_sets(with_full_image, variants))
    shown = (with_full_image or placed)[0]
    return CaptureResult(
        kind="full" if len(with_full_image) == len(placed) else "base",
        reasons=reasons,
        bytes=names.size(package),
        guards=tuple(dict.fromkeys(guard for variant in variants for guard in variant.guards)),
        environment=tuple(dict.fromkeys(read for session in placed for read in session.all_reads())),
        modules=shown.report.module_files,
        bytes_by_file=description.bytes_by_file(variants[0].snapshot.regions),
        groups=tuple(session.functions for session in placed) if len(placed) > 1 else (),
        output=shown.output,
        notes=tuple(dict.fromkeys(note for judgement in judgements for note in judgement.notes)),
    )


def _drop_what_is_not_true(session: Session, judgement: Judgement, accept: Sequence[str]) -> list[Finding]:
    """Drop the snapshots that would keep something of one instance, and note what and where.

    Returns:
        What they keep and the project accepts.
    """
    accepted: list[Finding] = []
    for kind, found in judgement.findings.items():
        findings = [finding for finding in found if not is_accepted(finding, accept)]
        accepted += [finding for finding in found if finding not in findings]
        if kind in session.snapshots and findings:
            del session.snapshots[kind]
        if kind == FULL or FULL not in session.snapshots:
            session.reasons += [str(finding) for finding in findings if str(finding) not in session.reasons]
    return accepted


def _placed(recorded: Session, judgement: Judgement, *, base: bool) -> Session:
    """Run the session again with the objects that a cold start uses beside each other."""
    if FULL not in recorded.snapshots:
        return recorded
    session = recorded
    for mode in (PlacementMode.ISOLATED, PlacementMode.COMPACT):
        touched = _with_working_sets([session], [full_variant(session, judgement)])[0].touched
        keys = session.placement.keys_on(touched)
        if not keys:  # this machine cannot record them
            return recorded
        kinds = {BASE, FULL} & recorded.snapshots.keys() if base and mode is PlacementMode.COMPACT else {FULL}
        session, before = session.again(Placement(mode, keys), kinds), session
        if FULL not in session.snapshots:
            return recorded
        if before is not recorded:
            before.snapshots.clear()  # it is large
    recorded.snapshots.clear()
    return session


def _reasons(session: Session) -> list[str]:
    names = f"{', '.join(session.functions)}: " if session.functions else ""
    return [f"{names}{reason}" for reason in session.reasons]


def _with_working_sets(sessions: Sequence[Session], variants: list[Variant]) -> list[Variant]:
    """Return the variants, the full ones with the pages that a cold start of each touches."""
    if sessions:
        image_format.write(sessions[0].package, variants)
    profiled = list(variants)
    for index, session in enumerate(sessions):
        touched = cold_start_profile.record(
            session.package,
            [(region.address, region.length, region.protection) for region in variants[index].snapshot.regions],
            environment=session.world.variables_of_a_start,
            events=session.warm_up,
        )
        profiled[index] = replace(variants[index], touched=touched)
    return profiled
