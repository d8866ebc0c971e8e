"""Where the pages of an image lie in its file."""

from __future__ import annotations

from pyl.image.addresses import PAGE
from pyl.image.layout import SEGMENT_OVER, SEGMENT_ZERO, Pages, Placed, segments_of
from pyl.image.snapshot import Region

BASE = 0x1800_0000_0000


def region(address: int, pages: int, stored: dict[int, bytes], protection: int = 3) -> Region:
    content = {address + index * PAGE: fill * PAGE for index, fill in stored.items()}
    return Region(address, pages * PAGE, protection, "", False, False, content)


def different(count: int, *, first: int = 1) -> dict[int, bytes]:
    return {index: bytes([first + index]) for index in range(count)}


def mapped(pages: Pages, placed: Placed) -> dict[int, bytes]:
    """The memory after the segments have been mapped in their order."""
    memory = {}
    for segment in placed.segments:
        for done in range(0, segment.length, PAGE):
            start = segment.offset + done
            zero = segment.flags & SEGMENT_ZERO
            memory[segment.address + done] = bytes(PAGE) if zero else bytes(pages.content[start : start + PAGE])
    return memory


def memory_of(*regions: Region) -> dict[int, bytes]:
    return {
        address: each.pages.get(address, bytes(PAGE))
        for each in regions
        for address in range(each.address, each.address + each.length, PAGE)
    }


def test_neighbours_with_equal_protection_become_one_segment() -> None:
    found = segments_of([region(BASE, 2, {0: b"a", 1: b"b"}), region(BASE + 2 * PAGE, 1, {0: b"c"})])
    assert [(segment.address, segment.length) for segment, _ in found] == [(BASE, 3 * PAGE)]


def test_a_long_run_of_zeros_is_not_stored() -> None:
    found = segments_of([region(BASE, 200, {0: b"a", 199: b"b"})])
    assert [(s.length // PAGE, bool(s.flags & SEGMENT_ZERO)) for s, _ in found] == [
        (1, False),
        (198, True),
        (1, False),
    ]


def test_pages_equal_in_both_variants_are_stored_once() -> None:
    full = region(BASE, 40, different(40))
    base = region(BASE, 40, {i: bytes([i + 1 if i < 20 else 99]) for i in range(40)})
    pages = Pages()
    assert mapped(pages, pages.place([full], {})) == memory_of(full)
    before = len(pages.content)
    assert mapped(pages, pages.place([base], {})) == memory_of(base)
    assert len(pages.content) - before == 20 * PAGE


def test_touched_pages_stand_first_in_the_file_the_written_before_the_read() -> None:
    memory = region(BASE, 100, different(100))
    read, written = BASE + 10 * PAGE, BASE + 60 * PAGE
    pages = Pages()
    placed = pages.place([memory], {read: False, written: True})
    assert bytes(pages.content[: 2 * PAGE]) == memory.pages[written] + memory.pages[read]
    assert placed.read_ahead == (0, 2 * PAGE)
    assert placed.populate == ((written, PAGE),)
    assert mapped(pages, placed) == memory_of(memory)


def test_a_segment_with_touched_pages_stays_one_mapping_and_the_runs_lie_over_it() -> None:
    memory = region(BASE, 100, different(100))
    placed = Pages().place([memory], {BASE + 10 * PAGE: False, BASE + 60 * PAGE: False})
    assert [(s.length // PAGE, bool(s.flags & SEGMENT_OVER)) for s in placed.segments] == [
        (100, False),
        (1, True),
        (1, True),
    ]


def hot_runs(placed: Placed) -> list[tuple[int, int]]:
    return [((s.address - BASE) // PAGE, s.length // PAGE) for s in placed.segments if s.flags & SEGMENT_OVER]


def test_touched_pages_that_are_close_to_each_other_are_one_run() -> None:
    memory = region(BASE, 200, different(200))
    touched = [*range(10), 12, 150]
    pages = Pages()
    placed = pages.place([memory], {BASE + page * PAGE: False for page in touched})
    assert hot_runs(placed) == [(0, 13), (150, 1)]
    assert mapped(pages, placed) == memory_of(memory)


def test_what_is_read_in_vain_stays_in_proportion_to_what_is_touched() -> None:
    memory = region(BASE, 200, different(200))
    alone = Pages().place([memory], {BASE: False, BASE + 5 * PAGE: False})
    assert hot_runs(alone) == [(0, 1), (5, 1)]
    among = Pages().place([memory], {BASE + page * PAGE: False for page in (0, 1, 2, 3, 4, 5, 6, 11)})
    assert hot_runs(among) == [(0, 12)]


def test_the_rest_of_a_segment_that_is_smaller_than_its_gaps_is_read_with_it() -> None:
    small, large = region(BASE, 6, different(6)), region(BASE + 50 * PAGE, 40, different(40))
    everything = {BASE + page * PAGE: False for page in (1, 2, 3, 4, *range(50, 90))}
    pages = Pages()
    placed = pages.place([small, large], everything)
    assert [(s.address, s.length) for s in placed.segments] == [(BASE, 6 * PAGE), (BASE + 50 * PAGE, 40 * PAGE)]
    assert mapped(pages, placed) == memory_of(small, large)


def test_a_segment_that_is_touched_whole_is_mapped_once() -> None:
    memory = region(BASE, 4, different(4))
    placed = Pages().place([memory], dict.fromkeys(range(BASE, BASE + 4 * PAGE, PAGE), True))
    assert len(placed.segments) == 1


def test_a_later_variant_uses_the_touched_pages_of_the_first_too() -> None:
    full, base = region(BASE, 40, different(40)), region(BASE, 40, different(40))
    pages = Pages()
    pages.place([full], {BASE + 5 * PAGE: True, BASE + 30 * PAGE: False})
    before = len(pages.content)
    assert mapped(pages, pages.place([base], {})) == memory_of(base)
    assert len(pages.content) == before


def test_written_pages_of_zeros_are_populated_and_not_stored() -> None:
    memory = region(BASE, 100, {})
    pages = Pages()
    placed = pages.place([memory], {BASE + 3 * PAGE: True})
    assert placed.populate == ((BASE + 3 * PAGE, PAGE),)
    assert not pages.content
