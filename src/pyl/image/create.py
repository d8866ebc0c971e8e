"""Makes the process image of an unpacked native package: runs its program, and stores what it became."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pyl.errors import BuildError
from pyl.image.capture import cold_start_profile, environment_groups
from pyl.image.capture.environment_groups import Group
from pyl.image.capture.placement import APART, RECORDED, TOGETHER, Placement
from pyl.image.capture.session import (
    BASE,
    CAPTURE_ONLY,
    FULL,
    HASH_SEED,
    CannotCapture,
    EnvironmentRead,
    Session,
)
from pyl.image.capture.snapshot import Snapshot
from pyl.image.file import description, guards, names
from pyl.image.file import format as image_format
from pyl.image.file.format import Variant
from pyl.image.file.guards import Guard
from pyl.image.file.library_files import mapped_from_files
from pyl.lambda_environment import TASK_ROOT, VARIABLES
from pyl.progress import Progress, Silent
from pyl.project.config.model import ImageMode


class ImageRefused(BuildError):
    """`image = "require"`, and the image could not be taken."""


@dataclass(frozen=True)
class CaptureResult:
    """What became of a capture."""

    kind: str
    """`full`, `base` or `none`."""
    reasons: tuple[str, ...] = ()
    """Why it is not `full`."""
    bytes: int = 0
    guards: tuple[Guard, ...] = ()
    environment: tuple[EnvironmentRead, ...] = ()
    modules: Mapping[str, str] = field(default_factory=dict)
    owners: Mapping[str, int] = field(default_factory=dict)
    """Bytes in the image by mapped file, and of the heap."""
    groups: tuple[Group, ...] = ()
    """The functions that have a full image of their own, when their environments take several."""
    output: str = ""
    """What the program printed meanwhile."""


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
    """Run the program of the unpacked `package` at `/var/task`, and write its image into it.

    `environment` is what all functions have in common, with the region; `configured` is all that each is configured
    with, by name: where modules read, at import, what differs there, functions get images apart. `warm_up` maps
    function names to events.
    Raises `ImageRefused` when `mode` is `require` and no full image could be taken.
    """
    progress = progress or Silent()
    names.remove(package)
    if mode == "off":
        return CaptureResult("none", ("image = false",))
    try:
        with progress.step("Capturing the process image"):
            first = Session(package, environment, warm_up or {}, arguments, placement=Placement(RECORDED)).run()
            further = [session.run() for session in _further(first, configured or {})]
            result = _compose(first, further)
    except CannotCapture as error:
        result = CaptureResult("none", (str(error),))
    if result.kind == "none":
        names.remove(package)  # a trial's
    if mode == "require" and result.kind != "full":
        reasons = "\n".join(f"  {reason}" for reason in result.reasons)
        msg = f"no full process image could be taken\n{reasons}"
        raise ImageRefused(msg, hint="see docs/images.md; `image = true` in [tool.pyl.native] builds without it")
    description.write(package, result)
    for reason in result.reasons:
        progress.note(f"process image: {result.kind}: {reason}")
    return result


def _further(first: Session, configured: Mapping[str, Mapping[str, str]]) -> Iterator[Session]:
    """A session for each group of functions, when one image cannot serve all."""
    for group in environment_groups.apart(first, configured):
        yield Session(
            first.package,
            {**first.environment, **group.environment},
            {name: event for name, event in first.warm_up.items() if name in group.functions},
            first.arguments,
            functions=group.functions,
            like=first,
            placement=Placement(RECORDED),
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
    """The snapshot, without what the package's libraries hold anyway."""
    taken = session.snapshots[kind]
    return replace(taken, regions=mapped_from_files(taken.regions, session.package, TASK_ROOT))


def _compose(first: Session, further: Sequence[Session]) -> CaptureResult:
    """Write the images: the full ones (of the first session only when it is alone), then a base one."""
    wanted = further or [first]
    placed = [_placed(session, base=index == 0) for index, session in enumerate(wanted)]
    base = next((session for session in placed if BASE in session.snapshots), first)
    for session in {*placed, base}:
        session.drop_unfit()
    taken = [session for session in placed if FULL in session.snapshots]
    variants = [_full_variant(session) for session in taken]
    if BASE in base.snapshots:
        variants.append(Variant(BASE, _stored(base, BASE), _base_guards(base), is_patched=True))
    reasons = tuple(_reasons(session) for session in placed if session not in taken)
    told = tuple(reason for session in reasons for reason in session)
    if not variants:
        return CaptureResult("none", told, output=first.output)
    image_format.write(first.package, _with_working_sets(taken, variants))
    shown = (taken or [first])[0]
    return CaptureResult(
        kind="full" if taken == placed else "base",
        reasons=told,
        bytes=names.size(first.package),
        guards=tuple(dict.fromkeys(guard for variant in variants for guard in variant.guards)),
        environment=tuple(dict.fromkeys(read for session in placed for read in _all_reads(session))),
        modules=shown.report.module_files,
        owners=description.owners(variants[0].snapshot.regions),
        groups=tuple(Group(session.functions, session.environment) for session in further),
        output=shown.output,
    )


def _placed(recorded: Session, *, base: bool) -> Session:
    """The same session once more, what a cold start uses placed together."""
    if FULL not in recorded.snapshots:
        return recorded
    session = recorded
    for mode in (APART, TOGETHER):
        touched = _with_working_sets([session], [_full_variant(session)])[0].touched
        keys = session.placement.keys_on(touched)
        if not keys:  # where no trial can be made
            return recorded
        kinds = {BASE, FULL} if base and mode == TOGETHER else {FULL}
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
    """The variants, the full ones with what a trial of each has touched."""
    if sessions:
        image_format.write(sessions[0].package, variants)
    found = list(variants)
    for index, session in enumerate(sessions):
        touched = cold_start_profile.record(
            session.package,
            [(region.address, region.length, region.protection) for region in variants[index].snapshot.regions],
            environment={**VARIABLES, **session.environment},
            events=session.warm_up,
        )
        found[index] = replace(variants[index], touched=touched)
    return found
