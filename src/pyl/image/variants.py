"""What of a session becomes a variant of the image file, under which guards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from pyl.image.capture.judgement import Finding, judge_files
from pyl.image.capture.proof import Proof, prove
from pyl.image.capture.session import CAPTURE_ONLY, HASH_SEED, Session
from pyl.image.file import guards
from pyl.image.file.format import Variant
from pyl.image.file.guards import Guard
from pyl.image.file.library_files import mapped_from_files
from pyl.image.snapshot import BASE, FULL, EnvironmentRead, Snapshot
from pyl.lambda_environment import TASK_ROOT, TRACE_ID
from pyl.lambda_facts import SCOPES, Scope


@dataclass(frozen=True)
class Judgement:
    """What a session's images may be used for.

    Attributes:
        full_guards: Conditions of the full image.
        base_guards: Conditions of the base image.
        findings: By kind, what the image would keep of one instance.
        swept_matter: Whether values count of variables that were only read together with all others.
        notes: For the report.
    """

    full_guards: tuple[Guard, ...]
    base_guards: tuple[Guard, ...]
    findings: Mapping[int, tuple[Finding, ...]]
    swept_matter: bool
    notes: tuple[str, ...]


def judge(session: Session) -> Judgement:
    """Judge what a session's snapshots hold of the world that they were taken in."""
    proofs = prove(session)
    full = proofs.get(FULL, Proof())
    base_files, base_findings = judge_files(
        session.contacts.get(BASE, ()), session.deployment, session.package, processors_matter=True, only_identity=True
    )
    full_files, full_findings = judge_files(
        session.contacts.get(FULL, ()), session.deployment, session.package, processors_matter=full.swept_matter
    )
    base_guards = (*_base_guards(session), *base_files)
    others = _guards_of_listing(session, swept_matter=full.swept_matter) if session.report.listing_place else ()
    full_guards = (
        *base_guards,
        *_guards(session.reads()),
        *_guards(session.reads_of_c_code(FULL)),
        *others,
        *full_files,
    )
    base_proof = proofs.get(BASE, Proof())
    findings = {
        BASE: (*base_proof.findings, *base_findings),
        FULL: tuple(dict.fromkeys((*full.findings, *base_proof.findings, *full_findings, *_reported(session)))),
    }
    notes = tuple(dict.fromkeys(proof.note for proof in proofs.values() if proof.note))
    return Judgement(
        tuple(dict.fromkeys(full_guards)), tuple(dict.fromkeys(base_guards)), findings, full.swept_matter, notes
    )


def _reported(session: Session) -> Iterator[Finding]:
    return (Finding(kept.message, kept.place) for kept in session.report.kept)


def _guards(reads: Iterable[EnvironmentRead]) -> Iterator[Guard]:
    for read in reads:
        if read.name in CAPTURE_ONLY or read.name in (HASH_SEED, TRACE_ID):  # it is never set before an event
            continue
        if SCOPES.get(read.name) is Scope.INSTANCE and read.value is not None:
            yield guards.present_guard(read.name)  # the proof shows that the value does not count
        else:
            yield guards.environment_guard(read.name, read.value)


def _guards_of_listing(session: Session, *, swept_matter: bool) -> Iterator[Guard]:
    yield guards.no_other_guard(session.configured)
    if swept_matter:
        variables = session.world.variables
        yield from _guards(EnvironmentRead(name, variables.get(name), "") for name in SCOPES if name != TRACE_ID)


def _base_guards(session: Session) -> tuple[Guard, ...]:
    root = guards.task_root_guard(TASK_ROOT)
    unset = (guards.environment_guard(name, None) for name in ("LD_PRELOAD", HASH_SEED))
    return (root, *unset, *_guards(session.reads_of_c_code(BASE)))


def full_variant(session: Session, judgement: Judgement) -> Variant:
    """Return the full image of a session."""
    return Variant(FULL, _stored(session, FULL), judgement.full_guards)


def base_variant(session: Session, judgement: Judgement) -> Variant:
    """Return the base image of a session."""
    return Variant(BASE, _stored(session, BASE), judgement.base_guards, is_patched=True)


def _stored(session: Session, kind: int) -> Snapshot:
    """Return the snapshot without what the package's libraries contain anyway."""
    snapshot = session.snapshots[kind]
    return replace(snapshot, regions=mapped_from_files(snapshot.regions, session.package, TASK_ROOT))
