"""Where the pages of an image lie in its files."""

from __future__ import annotations

from dataclasses import replace

from pyl.image.file.layout import Pages, Placed, segments_of
from pyl.image.file.structures import SEGMENT_NO_RESERVE, SEGMENT_PROTECT, SEGMENT_WIPE_ON_FORK, SEGMENT_ZERO
from pyl.image.snapshot import EXECUTE, READ, WRITE, Region
from pyl.lambda_environment import PAGE
from unit.image.page_codec_reference import decode
from unit.image.regions import BASE, different, region


def text(address: int, pages: int, stored: dict[int, bytes]) -> Region:
    return region(address, pages, stored, READ | EXECUTE)


def put(memory: dict[int, bytes], address: int, content: bytes) -> None:
    memory.update({address + done: content[done : done + PAGE] for done in range(0, len(content), PAGE)})


def mapped(pages: Pages, placed: Placed, *, from_disk: bool = False) -> dict[int, bytes]:
    """The memory after all that the launcher does where the page cache is warm, or, `from_disk`, where it is cold."""
    memory: dict[int, bytes] = {}
    for segments, stored in (
        (placed.segments, pages.memory),
        (placed.packed if from_disk else (), pages.readahead_file),
    ):
        for segment in segments:
            if segment.flags & SEGMENT_ZERO:
                put(memory, segment.address, bytes(segment.length))
            elif not segment.flags & SEGMENT_PROTECT:
                put(memory, segment.address, bytes(stored[segment.offset : segment.offset + segment.length]))
    if from_disk:
        encoded = bytes(pages.readahead_file[placed.readahead[0] : placed.readahead[0] + placed.encoded_bytes])
        addresses = [page for start, length in placed.encoded for page in range(start, start + length, PAGE)]
        memory.update(zip(addresses, decode(encoded, placed.kinds, len(addresses)), strict=True))
    place = placed.patches
    for start, length in placed.patched:
        for address in range(start, start + length, PAGE):
            difference = pages.memory[place : place + PAGE]
            memory[address] = bytes(a ^ b for a, b in zip(memory[address], difference, strict=True))
            place += PAGE
    return memory


def memory_of(*regions: Region) -> dict[int, bytes]:
    return {
        address: each.pages.get(address, bytes(PAGE))
        for each in regions
        for address in range(each.address, each.address + each.length, PAGE)
    }


def protections(placed: Placed) -> dict[int, int]:
    """Address to protection of each page, after the segments in their order."""
    return {
        page: segment.protection
        for segment in placed.segments
        for page in range(segment.address, segment.address + segment.length, PAGE)
    }


def in_pages(ranges: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    return [((start - BASE) // PAGE, length // PAGE) for start, length in ranges]


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


def test_memory_is_promised_twice_only_where_it_is_large_and_not_stored() -> None:
    found = segments_of([replace(region(BASE, 200, {0: b"a"}), no_reserve=True)])
    assert [bool(segment.flags & SEGMENT_NO_RESERVE) for segment, _ in found] == [False, True]


def test_neighbours_with_other_protections_are_one_mapping_and_no_page_gets_a_protection_of_another() -> None:
    regions = [
        text(BASE, 3, different(3)),
        region(BASE + 3 * PAGE, 1, {0: b"x"}),
        text(BASE + 4 * PAGE, 2, different(2, first=50)),
    ]
    pages = Pages()
    placed = pages.place(regions, {})
    assert [(s.length // PAGE, s.protection, bool(s.flags & SEGMENT_PROTECT)) for s in placed.segments] == [
        (6, READ | EXECUTE, False),
        (1, READ | WRITE, True),
    ]
    expected = {page: each.protection for each in regions for page in memory_of(each)}
    assert protections(placed) == expected
    assert mapped(pages, placed) == memory_of(*regions)


def test_what_lies_in_a_file_of_the_package_is_mapped_first_and_not_stored() -> None:
    library = replace(text(BASE + 50 * PAGE, 100, different(100)), file="lib.so")
    pages = Pages()
    placed = pages.place([region(BASE, 2, different(2)), library], {})
    assert [segment.file for segment in placed.segments] == ["lib.so", ""]
    assert len(pages.memory) == 2 * PAGE


def test_pages_equal_in_both_variants_are_stored_once() -> None:
    full = region(BASE, 40, different(40))
    other = region(BASE, 40, {i: bytes([i + 1 if i < 20 else 99]) for i in range(40)})
    pages = Pages()
    assert mapped(pages, pages.place([full], {})) == memory_of(full)
    before = len(pages.memory)
    assert mapped(pages, pages.place([other], {})) == memory_of(other)
    assert len(pages.memory) - before == 20 * PAGE


def test_of_a_patched_variant_the_difference_is_stored_and_mapped_as_one() -> None:
    full = region(BASE, 40, different(40))
    base = region(BASE, 42, {i: bytes([99 if i % 3 == 0 else i + 1]) for i in range(42)})
    pages = Pages()
    pages.place([full], {})
    placed = pages.place([base], {}, patched=True)
    assert mapped(pages, placed) == memory_of(base)
    assert in_pages(placed.patched) == [(i, 1) for i in range(0, 40, 3)]
    assert [segment.length // PAGE for segment in placed.segments] == [40, 2]


def test_a_patched_variant_stores_text_that_differs_since_it_cannot_be_written() -> None:
    full, base = text(BASE, 40, different(40)), text(BASE, 40, different(40) | {20: b"z"})
    pages = Pages()
    pages.place([full], {})
    placed = pages.place([base], {}, patched=True)
    assert not placed.patched
    assert mapped(pages, placed) == memory_of(base)


def test_touched_pages_are_stored_once_more_for_one_read() -> None:
    constants, memory = text(BASE, 100, different(100)), region(BASE + 100 * PAGE, 100, different(100, first=101))
    read, written = BASE + 10 * PAGE, BASE + 160 * PAGE
    pages = Pages()
    placed = pages.place([constants, memory], {read: False, written: True})
    assert placed.readahead == (0, len(pages.readahead_file)) == (0, 3 * PAGE)  # a margin behind what is encoded
    assert placed.encoded == ((written, PAGE),)
    assert [segment.address for segment in placed.packed] == [read]
    assert mapped(pages, placed) == mapped(pages, placed, from_disk=True) == memory_of(constants, memory)


def test_touched_pages_stand_in_the_order_in_which_they_are_needed() -> None:
    placed = Pages().place([text(BASE, 200, different(200))], {BASE + page * PAGE: False for page in (90, 10, 50)})
    assert [(s.address - BASE) // PAGE for s in placed.packed] == [90, 10, 50]
    assert [s.offset for s in placed.packed] == [0, PAGE, 2 * PAGE]


def test_touched_pages_that_are_close_to_each_other_are_one_run() -> None:
    memory = region(BASE, 200, different(200))
    touched = {BASE + page * PAGE: True for page in [*range(10), 12, 150]}
    pages = Pages()
    placed = pages.place([memory], touched)
    assert in_pages(placed.encoded) == [(0, 13), (150, 1)]
    assert mapped(pages, placed, from_disk=True) == memory_of(memory)


def test_only_plain_data_that_is_written_is_copied() -> None:
    generated = region(BASE, 10, different(10), READ | WRITE | EXECUTE)
    table = region(BASE + 100 * PAGE, 100, different(100, first=20))
    touched = {BASE: True} | dict.fromkeys(memory_of(table), False) | {BASE + 150 * PAGE: True}
    pages = Pages()
    placed = pages.place([generated, table], touched)
    assert not placed.encoded
    assert [(s.length // PAGE, s.protection) for s in placed.packed] == [
        (1, READ | WRITE | EXECUTE),
        (100, READ | WRITE),
    ]
    assert mapped(pages, placed, from_disk=True) == memory_of(generated, table)


def test_a_page_that_is_touched_tells_by_its_place_whether_the_page_cache_is_warm() -> None:
    memory = region(BASE, 100, different(100))
    touched = BASE + 60 * PAGE
    pages = Pages()
    placed = pages.place([memory], {touched: True})
    assert placed.sample is not None
    assert bytes(pages.memory[placed.sample : placed.sample + PAGE]) == memory.pages[touched]
    assert Pages().place([memory], {}).sample is None


def test_written_pages_are_populated_also_where_they_are_zeros() -> None:
    regions = [region(BASE, 100, {}), text(BASE + 100 * PAGE, 100, different(100))]
    touched = {BASE + 3 * PAGE: True, BASE + 4 * PAGE: False, BASE + 150 * PAGE: False}
    placed = Pages().place(regions, touched)
    assert in_pages(placed.populate) == [(3, 1)]
    assert not placed.encoded


def test_touched_code_is_mapped_apart_from_code_that_is_far_from_it() -> None:
    placed = Pages().place([text(BASE, 250, different(250))], {BASE + page * PAGE: False for page in (10, 25, 200)})
    assert in_pages(placed.neighbourhoods) == [(10, 16), (200, 1)]
    assert in_pages(placed.rarely_used) == [(0, 250)]


def test_code_that_is_touched_in_many_places_is_not_cut_into_many_pieces() -> None:
    touched = {BASE + page * PAGE: False for page in range(0, 2000, 50)}
    placed = Pages().place([text(BASE, 2000, {})], touched)
    assert in_pages(placed.neighbourhoods) == [(0, 1951)]


def test_a_later_variant_uses_the_pages_of_the_first_in_their_place() -> None:
    full, base = region(BASE, 40, different(40)), region(BASE, 40, different(40))
    pages = Pages()
    pages.place([full], {BASE + 5 * PAGE: True, BASE + 30 * PAGE: False})
    before = len(pages.memory)
    assert mapped(pages, pages.place([base], {})) == memory_of(base)
    assert len(pages.memory) == before


def test_parts_of_a_file_are_one_segment_only_where_they_are_neighbours_in_the_file_too() -> None:
    def part(page: int, offset: int) -> Region:
        code = region(BASE + page * PAGE, 1, {}, READ | EXECUTE)
        return replace(code, file="library.so", offset=offset * PAGE)

    segments = Pages().place((part(0, 0), part(1, 1), part(2, 5)), {}).segments
    assert [(segment.address, segment.length, segment.offset) for segment in segments] == [
        (BASE, 2 * PAGE, 0),
        (BASE + 2 * PAGE, PAGE, 5 * PAGE),
    ]


def test_memory_that_a_fork_wipes_is_mapped_as_such_and_never_put_over_from_the_disk() -> None:
    wiped = replace(region(BASE, 2, different(2)), wipe_on_fork=True)
    ordinary = region(BASE + 2 * PAGE, 2, different(2))
    touched = dict.fromkeys(range(BASE, BASE + 4 * PAGE, PAGE), True)
    placed = Pages().place((wiped, ordinary), touched)
    flags = {segment.address: segment.flags for segment in placed.segments}
    assert flags == {BASE: SEGMENT_WIPE_ON_FORK, BASE + 2 * PAGE: 0}
    assert placed.encoded == ((BASE + 2 * PAGE, 2 * PAGE),)
    assert placed.packed == ()
