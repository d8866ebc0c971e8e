"""Proves that an image depends on nothing that differs between instances, by running its program in two worlds."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace

from pyl.image.capture import world as worlds
from pyl.image.capture.comparison import Difference, compare
from pyl.image.capture.judgement import Finding, Secret, judge_differences, secrets_of
from pyl.image.capture.known import is_sqlite
from pyl.image.capture.session import Session
from pyl.image.capture.world import PROCESSORS
from pyl.image.snapshot import BASE, FULL, KernelState, Snapshot
from pyl.lambda_environment import CREDENTIALS, PAGE, TRACE_ID
from pyl.lambda_facts import SCOPES, Scope
from pyl.runtime.restore.warmup import trace_id_of
from pyl.sandbox import capture as capture_sandbox


@dataclass(frozen=True)
class Proof:
    """What the two worlds showed of one kind of image.

    Attributes:
        findings: What the image keeps of one instance.
        swept_matter: Whether values count of variables that were only read together with all others, or the number of
            processors.
        note: Why the proof was not possible; empty if it was.
    """

    findings: tuple[Finding, ...] = ()
    swept_matter: bool = False
    note: str = ""


def prove(session: Session) -> dict[int, Proof]:
    """Run the program of a session in another world, and judge each kind of snapshot that it took."""
    kinds = tuple(session.snapshots)
    if not kinds:
        return {}
    swept = swept_variables(session)
    if session.asked_for_processors(FULL) and not session.asked_for_processors(BASE):
        swept |= {PROCESSORS}
    other = session.in_other_world(kinds, swept)
    differences = {kind: _differences(session, other, kind) for kind in kinds}
    swept_matter = False
    if swept and differences.get(FULL, ()) != ():
        other = session.in_other_world((FULL,), frozenset())
        without_swept = _differences(session, other, FULL)
        swept_matter = without_swept != differences[FULL]
        differences[FULL] = without_swept
    return {
        kind: _with_credentials(session, kind, _judge(session, kind, differences[kind], swept_matter=swept_matter))
        for kind in kinds
    }


_WORD = 8
_SEARCHED = 20
"""Bytes of each that are searched for."""


def _with_credentials(session: Session, kind: int, proof: Proof) -> Proof:
    """Add to the findings the credentials that the memory holds."""
    places = {read.name: read.where for read in session.reads()}
    listing = session.report.listing_place or ""
    found = tuple(
        Finding(name, places.get(name, listing), is_acceptable=False)
        for name, text in zip(CREDENTIALS, worlds.CREDENTIALS, strict=True)
        if _holds(session.snapshots[kind], text[:_SEARCHED].encode())
    )
    return replace(proof, findings=(*proof.findings, *found))


def _holds(snapshot: Snapshot, content: bytes) -> bool:
    return any(
        content in page or content in page[-len(content) :] + region.pages.get(address + PAGE, b"")[: len(content)]
        for region in snapshot.regions
        for address, page in region.pages.items()
    )


def swept_variables(session: Session) -> frozenset[str]:
    """Return the variables of Lambda that were read with all others, and not by themselves as well."""
    if session.report.listing_place is None:
        return frozenset()
    read = {read.name for read in session.all_reads()}
    return frozenset(session.world.variables.keys() & SCOPES.keys() - read - set(session.environment) - _STARTUP)


_STARTUP = frozenset(("LANG", "PATH", "TZ", "LD_LIBRARY_PATH"))
"""Variables that the interpreter and the C library read when they start."""


def _judge(session: Session, kind: int, differences: tuple[Difference, ...] | None, *, swept_matter: bool) -> Proof:
    if differences is None:
        finding = Finding("something that lets it allocate other memory in another instance", _suspects(session, kind))
        return Proof((finding,), swept_matter)
    secrets = tuple(_secrets(session, kind))
    findings, is_explained = judge_differences(differences, secrets)
    if is_explained:
        return Proof(tuple(findings), swept_matter)
    again = session.in_other_world((kind,), frozenset(), same=True)
    unstable = _differences(session, again, kind)
    places = {difference.address for difference in unstable or ()}
    stable = [difference for difference in differences if unstable is not None and difference.address not in places]
    if stable:
        return Proof(tuple(judge_differences(stable, secrets)[0]), swept_matter)
    note = "two runs in the same world differ, so there is no proof that the image holds nothing of its instance"
    asked_for = (Finding(secret.what, secret.place) for secret in secrets if secret.is_asked_for)
    return Proof(tuple(asked_for), swept_matter, note)


def _suspects(session: Session, kind: int) -> str:
    return ", ".join(dict.fromkeys(secret.place for secret in _secrets(session, kind)))


def _secrets(session: Session, kind: int) -> Iterator[Secret]:
    world = session.world
    contacts = [contact for before in (BASE, FULL) if before <= kind for contact in session.contacts.get(before, ())]
    yield from secrets_of(contacts, host_name=world.instance.host_name, process_id=world.process_id_offset)
    if kind == BASE:
        return
    explicit = {read.name: read.where for read in reversed(session.all_reads())}
    for name, scope in SCOPES.items():
        place = explicit.get(name, session.report.listing_place)
        if scope is Scope.INSTANCE and name not in CREDENTIALS and name in world.variables and place is not None:
            yield Secret(name, place, (world.variables[name].encode(),))
    trace_place = explicit.get(TRACE_ID, session.report.listing_place or "")
    trace_id = trace_id_of(world.instance.log_stream).encode()
    yield Secret(TRACE_ID, trace_place, (trace_id,), is_asked_for=TRACE_ID in explicit)


def _differences(first: Session, other: Session, kind: int) -> tuple[Difference, ...] | None:
    snapshot, other_snapshot = first.snapshots.get(kind), other.snapshots.get(kind)
    if snapshot is None or other_snapshot is None:
        return None
    found = compare(snapshot, other_snapshot, ignored=_renewed_memory(snapshot))
    if found is None:
        return None
    stamps = first.stamps | other.stamps
    return tuple(
        difference
        for difference in found
        if not (_consists_of(difference, stamps) or _is_count(difference) or _is_thread_id(difference, snapshot.state))
    )


def _is_thread_id(difference: Difference, state: KernelState) -> bool:
    """Return whether this is the word that holds the thread's id, which the launcher writes."""
    return difference.address == state.thread_id_address & -_WORD and len(difference.content) == _WORD


def _renewed_memory(snapshot: Snapshot) -> Iterator[tuple[int, int]]:
    """Yield the own data of the loader, which holds how long it took to start the program, and of SQLite.

    SQLite keeps the state of its generator there, and forgets whether it has one before an image is taken.
    """
    end = None
    for region in snapshot.regions:
        if region.name.endswith(capture_sandbox.REAL_LOADER) or is_sqlite(region.name.rpartition("/")[2]):
            yield region.address, region.address + region.length
            end = region.address + region.length
        elif region.address == end and not region.name:
            yield region.address, region.address + region.length


def _consists_of(difference: Difference, stamps: Container[int]) -> bool:
    """Return whether all words are times or inode numbers of files."""
    return all(word in stamps for word in _words(difference.content)) and all(
        word in stamps for word in _words(difference.other)
    )


_SHARED = 100_000
_LARGEST_COUNT = 2**32
_MOST_REFERENCES = 1024


def _is_count(difference: Difference) -> bool:
    """Return whether this is the reference count of an object that lives for ever, such as a string of one letter.

    How often those are referred to may depend on a text that is gone, and changes nothing.
    """
    first, other = list(_words(difference.content)), list(_words(difference.other))
    return (
        len(first) == 1
        and all(_SHARED < count < _LARGEST_COUNT for count in (*first, *other))
        and abs(first[0] - other[0]) <= _MOST_REFERENCES
    )


def _words(content: bytes) -> Iterator[int]:
    return (int.from_bytes(content[start : start + _WORD], "little") for start in range(0, len(content), _WORD))
