"""Creates the process image of an unpacked native package: runs its program and stores its memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pyl.errors import BuildError
from pyl.image.capture import cold_start_profile, environment_groups
from pyl.image.capture.placement import Placement
from pyl.image.capture.protocol import PlacementMode
from pyl.image.capture.sandboxed_program import CannotCapture
from pyl.image.capture.session import CAPTURE_ONLY, HASH_SEED, Session
from pyl.image.file import description, guards, names
from pyl.image.file import format as image_format
from pyl.image.file.format import Variant
from pyl.image.file.guards import Guard
from pyl.image.file.library_files import mapped_from_files
from pyl.image.result import CaptureResult
from pyl.image.snapshot import BASE, FULL, EnvironmentRead, Snapshot
from pyl.lambda_environment import TASK_ROOT, VARIABLES
from pyl.progress import Progress, Silent
from pyl.project.config.model import ImageMode


class ImageRefused(BuildError):
    """`image = "require"`, and the image could not be taken."""


def capture(
    package: Path,
    *,
    environment: Mapping[str, str],
    configured: Mapping[str, Mapping[str, str]] | None = None,
    warm_up: Mapping[str, Any] | None = None,
    mode: ImageMode = "auto",
    progress: Progress | None = None,
    arguments: Sequence[str] = (),
) -> CaptureResult:
    """Run the program of an unpacked package at `/var/task`, and write its image into the package.

    Args:
        package: The folder of the package.
        environment: The variables that all functions have in common, with the region.
        configured: Function names to all variables that each is configured with. If modules read variables at import
            that differ there, functions get images of their own.
        warm_up: Function names to events; each is called before the image is taken.
        mode: Whether an image is wanted.
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
            first = Session(
                package, environment, warm_up or {}, arguments, placement=Placement(PlacementMode.RECORDED)
            ).run()
            further = [session.run() for session in _further(first, configured or {})]
            result = _compose(first, further)
    except CannotCapture as error:
        result = CaptureResult("none", (str(error),))
    if result.kind == "none":
        names.remove(package)  # written for a profile
    if mode == "require" and result.kind != "full":
        reasons = "\n".join(f"  {reason}" for reason in result.reasons)
        msg = f"no full process image could be taken\n{reasons}"
        raise ImageRefused(msg, hint="see docs/images.md; `image = true` in [tool.pyl.native] builds without it")
    description.write(package, result)
    for reason in result.reasons:
        progress.note(f"process image: {result.kind}: {reason}")
    return result


def _further(first: Session, configured: Mapping[str, Mapping[str, str]]) -> Iterator[Session]:
    """Yield a session for each group of functions if one image cannot serve all."""
    for group in environment_groups.partition_by_environment(first, configured):
        yield Session(
            first.package,
            {**first.environment, **group.environment},
            {name: event for name, event in first.warm_up.items() if name in group.functions},
            first.arguments,
            functions=group.functions,
            like=first,
            placement=Placement(PlacementMode.RECORDED),
        )


def _guards(reads: Iterable[EnvironmentRead]) -> Iterator[Guard]:
    return (
        guards.environment_guard(read.name, read.value) for read in reads if read.name not in {*CAPTURE_ONLY, HASH_SEED}
    )


def _base_guards(session: Session) -> tuple[Guard, ...]:
    root = guards.task_root_guard(TASK_ROOT)
    unset = (guards.environment_guard(name, None) for name in ("LD_PRELOAD", HASH_SEED))
    return (root, *unset, *_guards(session.reads_of_c_code(BASE)))


def _full_variant(session: Session) -> Variant:
    others = (guards.no_other_guard(session.configured),) if session.report.listing_place else ()
    own = (*_base_guards(session), *_guards(session.reads()), *_guards(session.reads_of_c_code(FULL)), *others)
    return Variant(FULL, _stored(session, FULL), tuple(dict.fromkeys(own)))


def _stored(session: Session, kind: int) -> Snapshot:
    """Return the snapshot without what the package's libraries contain anyway."""
    snapshot = session.snapshots[kind]
    return replace(snapshot, regions=mapped_from_files(snapshot.regions, session.package, TASK_ROOT))


def _compose(first: Session, further: Sequence[Session]) -> CaptureResult:
    """Write the full images (that of the first session only if it is the only one), then a base image."""
    sessions = further or [first]
    placed = [_placed(session, base=index == 0) for index, session in enumerate(sessions)]
    base = next((session for session in placed if BASE in session.snapshots), first)
    for session in {*placed, base}:
        session.drop_unsupported()
    with_full_image = [session for session in placed if FULL in session.snapshots]
    variants = [_full_variant(session) for session in with_full_image]
    if BASE in base.snapshots:
        variants.append(Variant(BASE, _stored(base, BASE), _base_guards(base), is_patched=True))
    reasons = tuple(reason for session in placed if session not in with_full_image for reason in _reasons(session))
    if not variants:
        return CaptureResult("none", reasons, output=first.output)
    image_format.write(first.package, _with_working_sets(with_full_image, variants))
    shown = (with_full_image or [first])[0]
    return CaptureResult(
        kind="full" if with_full_image == placed else "base",
        reasons=reasons,
        bytes=names.size(first.package),
        guards=tuple(dict.fromkeys(guard for variant in variants for guard in variant.guards)),
        environment=tuple(dict.fromkeys(read for session in placed for read in _all_reads(session))),
        modules=shown.report.module_files,
        bytes_by_file=description.bytes_by_file(variants[0].snapshot.regions),
        groups=tuple(session.functions for session in further),
        output=shown.output,
    )


def _placed(recorded: Session, *, base: bool) -> Session:
    """Run the session again with the objects that a cold start uses beside each other."""
    if FULL not in recorded.snapshots:
        return recorded
    session = recorded
    for mode in (PlacementMode.ISOLATED, PlacementMode.COMPACT):
        touched = _with_working_sets([session], [_full_variant(session)])[0].touched
        keys = session.placement.keys_on(touched)
        if not keys:  # this machine cannot record them
            return recorded
        kinds = {BASE, FULL} if base and mode is PlacementMode.COMPACT else {FULL}
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


def _all_reads(session: Session) -> tuple[EnvironmentRead, ...]:
    return (*session.reads(), *session.reads_of_c_code(BASE), *session.reads_of_c_code(FULL))


def _with_working_sets(sessions: Sequence[Session], variants: list[Variant]) -> list[Variant]:
    """Return the variants, the full ones with the pages that a cold start of each touches."""
    if sessions:
        image_format.write(sessions[0].package, variants)
    profiled = list(variants)
    for index, session in enumerate(sessions):
        touched = cold_start_profile.record(
            session.package,
            [(region.address, region.length, region.protection) for region in variants[index].snapshot.regions],
            environment={**VARIABLES, **session.environment},
            events=session.warm_up,
        )
        profiled[index] = replace(variants[index], touched=touched)
    return profiled
