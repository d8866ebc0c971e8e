"""Random generators that seeded themselves at import, and must not go on alike in every restored process.

One that the user seeded goes on with its sequence, as it would in a plain start.
"""

from __future__ import annotations

import gc
import sys

from pyl.runtime import import_hooks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any


class Generators:
    """Watches who seeds the generators of `random` and numpy: they themselves, or the user."""

    def __init__(self) -> None:
        self._seeded_by_user: set[int] = set()
        self._entropies: set[int] = set()
        """What numpy took from the operating system for want of a seed."""
        self._global_unseeded = False
        """Was numpy's own generator last seeded by `seed()`, without a number?"""

    def watch(self) -> list[Callable[[], None]]:
        """Begin; returns what ends it."""
        return [
            import_hooks.prepare("random", self._watch_random),
            import_hooks.prepare("numpy.random.bit_generator", self._watch_entropy),
            import_hooks.prepare("numpy.random.mtrand", self._watch_global),
        ]

    def own_seeds(self) -> list[Callable[[], object]]:
        """What gives a new seed to each generator, in all of memory, that had seeded itself."""
        return [*self._of_random(), *self._of_numpy()]

    def _watch_random(self, module: Any) -> Callable[[], None]:
        kind = module.Random
        original = kind.seed

        def seed(generator: Any, a: Any = None, *arguments: Any, **keywords: Any) -> None:
            original(generator, a, *arguments, **keywords)
            (self._seeded_by_user.discard if a is None else self._seeded_by_user.add)(id(generator))

        kind.seed = seed

        def undo() -> None:
            kind.seed = original

        return undo

    def _watch_entropy(self, module: Any) -> Callable[[], None]:
        original = module.randbits

        def randbits(count: int) -> int:
            value: int = original(count)
            self._entropies.add(value)
            return value

        module.randbits = randbits

        def undo() -> None:
            module.randbits = original

        return undo

    def _watch_global(self, module: Any) -> Callable[[], None]:
        original = module.seed

        def seed(*arguments: Any, **keywords: Any) -> None:
            original(*arguments, **keywords)
            self._global_unseeded = [*arguments, *keywords.values()] in ([], [None])

        module.seed = seed

        def undo() -> None:
            for name in ("numpy.random.mtrand", "numpy.random"):
                place = sys.modules.get(name)
                if getattr(place, "seed", None) is seed:
                    place.seed = original  # type: ignore[union-attr]

        return undo

    def _of_random(self) -> Iterator[Callable[[], object]]:
        random = sys.modules.get("random")
        if random is None:
            return
        for thing in gc.get_objects():
            own_seed = isinstance(thing, random.Random) and not isinstance(thing, random.SystemRandom)
            if own_seed and id(thing) not in self._seeded_by_user:
                yield thing.seed

    def _of_numpy(self) -> Iterator[Callable[[], object]]:
        mtrand, bits = sys.modules.get("numpy.random.mtrand"), sys.modules.get("numpy.random.bit_generator")
        if mtrand is None or bits is None:
            return
        legacy = [thing for thing in gc.get_objects() if isinstance(thing, mtrand.RandomState)]
        inside = {id(state._bit_generator) for state in legacy}  # noqa: SLF001 - not public, there since numpy 1.17
        for state in legacy:
            unseeded = state is mtrand._rand and self._global_unseeded  # noqa: SLF001
            if unseeded or self._seeded_itself(state._bit_generator):  # noqa: SLF001
                yield state.seed  # which also forgets a normal variate kept for the next call
        for thing in gc.get_objects():
            if isinstance(thing, bits.BitGenerator) and id(thing) not in inside and self._seeded_itself(thing):
                yield _renewal(thing)

    def _seeded_itself(self, bit_generator: Any) -> bool:
        entropy = getattr(bit_generator._seed_seq, "entropy", None)  # noqa: SLF001
        return isinstance(entropy, int) and entropy in self._entropies


def _renewal(bit_generator: Any) -> Callable[[], object]:
    def renew() -> None:
        bit_generator.state = type(bit_generator)().state

    return renew


def directly(seed: Callable[[], object]) -> Callable[[], object]:
    """What `seed` of a generator comes down to, where that is a plain one of `random`. Call it last before an image."""
    random: Any = sys.modules.get("random")
    generator: Any = getattr(seed, "__self__", None)
    if random is None or type(generator) is not random.Random:
        return seed
    generator.gauss_next = None  # as Random.seed does besides
    fresh: Callable[[], object] = super(random.Random, generator).seed
    return fresh
