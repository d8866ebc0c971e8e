"""Judges what a full image holds of the world that it was captured in: guards, or reasons why it cannot be used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyl.image.capture.comparison import Difference
from pyl.image.capture.contacts import Contact, Kind
from pyl.image.capture.known import MERSENNE_TWISTER_BYTES, RANDOM_DEVICES, is_python, notices_forks
from pyl.image.file import guards
from pyl.image.file.guards import Guard
from pyl.lambda_environment import APP, GROUP, TASK_ROOT, USER
from pyl.lambda_facts import Deployment

_OWN_FILES = "/pyl/runtime/"
_ASKING_FOR_OTHERS = ("/warmup.py", "/key_generation.py", "/random_generators.py")


@dataclass(frozen=True)
class Finding:
    """What an image keeps of one instance.

    Attributes:
        what: The contact that explains it, in words.
        place: `file:line`, or a library; several are separated by commas.
        is_acceptable: Whether a project may accept it.
    """

    what: str
    place: str
    is_acceptable: bool = True

    def __str__(self) -> str:
        """Return the sentence for a report."""
        return f"it keeps {self.what} ({self.place})" if self.place else f"it keeps {self.what}"


def judge_files(
    contacts: Iterable[Contact],
    deployment: Deployment,
    package: Path,
    *,
    processors_matter: bool,
    only_identity: bool = False,
) -> tuple[list[Guard], list[Finding]]:
    """Return the guards for what was asked of files, identity and processors, and what no guard can cover.

    Args:
        contacts: What the program asked its world for.
        deployment: The function's.
        package: The unpacked package.
        processors_matter: Whether the proof showed that the image depends on their number.
        only_identity: Pass over files: the interpreter looks for its own while it starts.
    """
    found_guards: dict[Guard, None] = {}
    findings: list[Finding] = []
    for contact in contacts:
        if _is_own(contact) or (only_identity and contact.kind is Kind.FILE):
            continue
        if contact.kind is Kind.USER:
            found_guards[guards.user_guard(USER, GROUP)] = None
        elif contact.kind is Kind.PROCESSORS and processors_matter:
            found_guards[guards.processors_guard(deployment.processors)] = None
        elif contact.kind in _FINDINGS:
            findings.append(Finding(_FINDINGS[contact.kind].format(contact.detail), contact.place))
        elif contact.kind is Kind.FILE:
            for judged in _judge_file(contact, package):
                if isinstance(judged, Finding):
                    findings.append(judged)
                else:
                    found_guards[judged] = None
    return list(found_guards), findings


_FINDINGS = {
    Kind.CHANGE: "no effect of {} at import",
    Kind.CHILD: "what the program {} did at import",
    Kind.DRAW: "{} that were drawn at import",
}
"""What no guard covers, and no proof finds."""


def _is_own(contact: Contact) -> bool:
    """Return whether pyl's runtime asked, and not in place of other code."""
    first = contact.frames[0] if contact.frames else ""
    return _OWN_FILES in first and not any(name in first for name in _ASKING_FOR_OTHERS)


def _judge_file(contact: Contact, package: Path) -> Iterator[Guard | Finding]:
    path = contact.detail
    if path.startswith(_HARMLESS_PATHS) or path.endswith("/openssl.cnf"):
        return  # images use OpenSSL with its built-in defaults, or with the OPENSSL_CONF of the configuration
    if path in _SELINUX_PATHS and not is_python(contact.library):
        return  # whether memory may be made executable, which a restore needs as well
    if path.startswith(_USER_PATHS):
        yield guards.user_guard(USER, GROUP)
    elif path.startswith(_KERNEL_PATHS):
        if not (path.endswith(_HARMLESS_PROC) or (path in RANDOM_DEVICES and notices_forks(contact.library))):
            yield Finding(f"what {path} told at import", contact.place)
    elif not contact.exists:
        folder = _zone_folder(path)
        if not _is_zone_of_package(path, folder, package):
            yield guards.path_guard(folder, exists=False)
    elif contact.opened:
        yield Finding(f"what {path} held at import", contact.place)
    elif path not in _FOLDERS_EVERYWHERE:
        yield guards.path_guard(path, exists=True)


_KERNEL_PATHS = ("/proc", "/sys/", "/dev/")


def _zone_folder(path: str) -> str:
    """Return the folder of time zones that a path lies in, which one guard covers, else the path."""
    return next((folder for folder in _ZONE_FOLDERS if path.startswith(f"{folder}/")), path)


def _is_zone_of_package(path: str, folder: str, package: Path) -> bool:
    """Return whether a time zone comes from `tzdata` in the package: it is the same wherever it comes from."""
    zones = package / Path(APP).relative_to(TASK_ROOT) / "site" / "tzdata" / "zoneinfo"
    return path != folder and (zones / Path(path).relative_to(folder)).is_file()


_HARMLESS_PATHS = (
    "/etc/nsswitch.conf",  # the C library looks at it again when it has changed
    "/etc/ld.so.",  # the loader's
    "/usr/lib/locale",
    "/etc/localtime",  # the C library's own time zone, read again after a restore
    "/usr/share/zoneinfo/UTC",
)
_USER_PATHS = ("/etc/passwd", "/etc/group")
_SELINUX_PATHS = ("/proc/mounts", "/proc/self/status", "/selinux")
"""Where libffi looks."""
_HARMLESS_PROC = (
    "/self/fd",
    "/self/exe",  # equal everywhere: the package's loader
    "/self/maps",  # thread libraries look for the bounds of the stack, which an image brings along
    "/overcommit_memory",  # allocators
    "/proc/filesystems",
)
_FOLDERS_EVERYWHERE = frozenset(
    (
        "/",
        "/etc",
        "/usr",
        "/usr/lib",
        "/usr/share",
        "/usr/bin",
        "/var",
        "/opt",
        "/home",
        "/dev",
        "/bin",
        "/lib",
        "/lib64",
    )
)
_ZONE_FOLDERS = ("/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo")


# -- the two worlds --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Secret:
    """A value of one instance that a program was told.

    Attributes:
        what: What it is, in words.
        place: Where the program asked for it.
        forms: The bytes as which memory may hold it.
        is_random: Whether it is random bytes.
        is_seed: Whether Python's `random` was seeded with it, which says little about where it was used.
        is_asked_for: Whether the program is known to have asked for it; else only memory that holds it tells.
    """

    what: str
    place: str
    forms: tuple[bytes, ...]
    is_random: bool = False
    is_seed: bool = False
    is_asked_for: bool = True


def judge_differences(differences: Sequence[Difference], secrets: Sequence[Secret]) -> tuple[list[Finding], bool]:
    """Return what explains the differences between the two worlds, and whether something does.

    Where nothing does, the findings are all that might.
    """
    findings: dict[Finding, None] = {}
    unexplained = 0
    for difference in differences:
        secret = next((secret for secret in secrets if _holds(difference, secret)), None)
        if secret is not None:
            findings[Finding(secret.what, secret.place)] = None
        else:
            unexplained += 1
    is_explained = bool(findings) or not unexplained
    if not is_explained:
        asked_for = [secret for secret in secrets if secret.is_asked_for]
        drawn = sorted((secret for secret in asked_for if secret.is_random), key=lambda secret: secret.is_seed)
        for secret in drawn or asked_for:
            findings[Finding(f"something that depends on {secret.what}", secret.place)] = None
    if not is_explained and not findings:
        findings[Finding("something that differs between instances", "")] = None
    return list(findings), is_explained


_WORD = 8
_SHORTEST = 5
"""Bytes of a word that must agree, where a value ends or begins in it."""


def _holds(difference: Difference, secret: Secret) -> bool:
    content = difference.content
    for form in secret.forms:
        if form in content:
            return True
        if len(form) < _WORD:
            continue
        # A run begins and ends with words that differ, so it may be a part of the value.
        pieces = (content[start : start + _WORD].strip(b"\0") for start in range(0, len(content), _WORD))
        if any(len(piece) >= _SHORTEST and piece in form for piece in pieces):
            return True
    return False


_DIGIT_BITS = 30
"""Of a digit of CPython's integers, which has 32 bits."""


def forms_of_bytes(content: bytes) -> tuple[bytes, ...]:
    """Return how memory holds random bytes: as they are, in hexadecimal, or as an integer."""
    forms = [content, content.hex().encode(), content.hex().upper().encode()]
    for order in ("big", "little"):
        number = int.from_bytes(content, order)
        digits = bytearray()
        while number:
            digits += (number & ((1 << _DIGIT_BITS) - 1)).to_bytes(4, "little")
            number >>= _DIGIT_BITS
        forms.append(bytes(digits))
    return tuple(forms)


def secrets_of(contacts: Iterable[Contact], *, host_name: str, process_id: int) -> Iterator[Secret]:
    """Yield what the contacts told of one instance."""
    for contact in contacts:
        if _is_own(contact):
            continue
        if contact.kind is Kind.RANDOM:
            yield Secret(
                f"{contact.detail} random bytes drawn at import".lstrip(),
                contact.place,
                forms_of_bytes(contact.content) if contact.content else (),
                is_random=True,
                is_seed=contact.detail == MERSENNE_TWISTER_BYTES,
            )
        elif contact.kind is Kind.HOST_NAME:
            yield Secret("the host's name", contact.place, (host_name.encode(),))
        elif contact.kind is Kind.PROCESS_ID:
            numbers = tuple((process_id + offset).to_bytes(4, "little") for offset in range(_PROCESSES))
            yield Secret("the process id", contact.place, numbers)


_PROCESSES = 64
"""Process ids from the first on that a capture may use."""
