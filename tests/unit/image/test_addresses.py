"""Where mappings are put."""

from __future__ import annotations

from pyl.image.addresses import Zone, random_address
from pyl.lambda_environment import PAGE


def test_mappings_lie_side_by_side() -> None:
    zone = Zone(0x1000_0000)
    assert [zone.allocate(size) for size in (PAGE, 1, 3 * PAGE)] == [0x1000_0000, 0x1000_1000, 0x1000_2000]


def test_a_hole_is_filled_by_the_first_that_fits() -> None:
    zone = Zone(0)
    for _ in range(4):
        zone.allocate(PAGE)
    zone.release(PAGE, 2 * PAGE)
    assert zone.allocate(3 * PAGE) == 4 * PAGE
    assert zone.allocate(PAGE) == PAGE
    assert zone.allocate(PAGE) == 2 * PAGE


def test_what_was_never_handed_out_may_be_given_back() -> None:
    zone = Zone(0)
    zone.release(0, PAGE)
    assert zone.allocate(PAGE) == 0


def test_builds_differ_in_their_addresses() -> None:
    assert len({random_address(0x1000_0000_0000) for _ in range(20)}) == 20
