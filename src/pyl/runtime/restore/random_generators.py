"""Random generators that seeded themselves at import, and must not continue alike in every restored process.

A generator that the user's code seeded continues with its sequence, as it would in a plain start.
"""

from __future__ import annotations

import gc
import sys

from pyl.runtime import import_hooks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any


class RandomGenerators:
    """Records which generators of `random` and numpy the user's code seeds, and which seed themselves."""

    def __init__(self, place: Callable[[], str]) -> None:
        """Prepare a recording; `place` returns the `file:line` of the code that called this module."""
        self._place = place
        self._seeded_by_user: set[int] = set()
        """`id()` of each generator of `random` that got a seed."""
        self._entropies: dict[int, str] = {}
        """Numbers that numpy took from the operating system because it got no seed, and where."""
        self._is_global_self_seeded = False
        """Whether numpy's global generator was last seeded by `seed()` without a number."""

    def watch(self) -> list[Callable[[], None]]:
        """Start recording; return the callables that end it."""
        return [
            import_hooks.after_import("random", self._watch_random),
            import_hooks.after_import("numpy.random.bit_generator", self._watch_entropy),
            import_hooks.after_import("numpy.random.mtrand", self._watch_global),
        ]

    def find_self_seeded(self) -> list[Callable[[], object]]:
        """Return, for each generator in memory that seeded itself, the callable that seeds it again."""
        return [*self._find_random(), *self._find_numpy()]

    def find_used(self) -> Iterator[str]:
        """Yield, for each generator of numpy that seeded itself and has drawn, the `file:line` that made it.

        The two worlds draw the same from it, so the proof does not find what code keeps of that.
        """
        bits: Any = sys.modules.get("numpy.random.bit_generator")
        for value in gc.get_objects() if bits is not None else ():
            if isinstance(value, bits.BitGenerator) and self._seeded_itself(value):
                sequence = value._seed_seq  # noqa: SLF001 - not public, there since numpy 1.17
                if _content(value.state) != _content(type(value)(sequence).state):
                    yield self._entropies[sequence.entropy]

    def _watch_random(self, module: Any) -> Callable[[], None]:
        random_class = module.Random
        original = random_class.seed

        def seed(generator: Any, a: Any = None, *arguments: Any, **keywords: Any) -> None:
            original(generator, a, *arguments, **keywords)
            (self._seeded_by_user.discard if a is None else self._seeded_by_user.add)(id(generator))

        random_class.seed = seed

        def undo() -> None:
            random_class.seed = original

        return undo

    def _watch_entropy(self, module: Any) -> Callable[[], None]:
        original = module.randbits

        def randbits(count: int) -> int:
            value: int = original(count)
            self._entropies[value] = self._place()
            return value

        module.randbits = randbits

        def undo() -> None:
            module.randbits = original

        return undo

    def _watch_global(self, module: Any) -> Callable[[], None]:
        original = module.seed

        def seed(*arguments: Any, **keywords: Any) -> None:
            original(*arguments, **keywords)
            self._is_global_self_seeded = [*arguments, *keywords.values()] in ([], [None])

        module.seed = seed

        def undo() -> None:
            for name in ("numpy.random.mtrand", "numpy.random"):
                numpy_module = sys.modules.get(name)
                if getattr(numpy_module, "seed", None) is seed:
                    numpy_module.seed = original  # type: ignore[union-attr]

        return undo

    def _find_random(self) -> Iterator[Callable[[], object]]:
        random = sys.modules.get("random")
        if random is None:
            return
        for value in gc.get_objects():
            has_seed = isinstance(value, random.Random) and not isinstance(value, random.SystemRandom)
            if has_seed and id(value) not in self._seeded_by_user:
                yield value.seed

    def _find_numpy(self) -> Iterator[Callable[[], object]]:
        mtrand, bits = sys.modules.get("numpy.random.mtrand"), sys.modules.get("numpy.random.bit_generator")
        if mtrand is None or bits is None:
            return
        legacy_states = [value for value in gc.get_objects() if isinstance(value, mtrand.RandomState)]
        legacy_generators = {
            id(state._bit_generator)  # noqa: SLF001 - not public, there since numpy 1.17
            for state in legacy_states
        }
        for state in legacy_states:
            is_unseeded_global = state is mtrand._rand and self._is_global_self_seeded  # noqa: SLF001
            if is_unseeded_global or self._seeded_itself(state._bit_generator):  # noqa: SLF001
                yield state.seed  # which also drops a normal variate that was kept for the next call
        for value in gc.get_objects():
            is_new_style = isinstance(value, bits.BitGenerator) and id(value) not in legacy_generators
            if is_new_style and self._seeded_itself(value):
                yield _state_renewal(value)

    def _seeded_itself(self, bit_generator: Any) -> bool:
        entropy = getattr(bit_generator._seed_seq, "entropy", None)  # noqa: SLF001
        return isinstance(entropy, int) and entropy in self._entropies


def _content(state: Any) -> Any:
    """Return a generator's state, without arrays, so that it can be compared."""
    if isinstance(state, dict):
        return {name: _content(value) for name, value in state.items()}
    return state.tobytes() if hasattr(state, "tobytes") else state


def _state_renewal(bit_generator: Any) -> Callable[[], object]:
    def renew() -> None:
        bit_generator.state = type(bit_generator)().state

    return renew


def reseeding(seed: Callable[[], object]) -> Callable[[], object]:
    """Return the shortest callable that does what `seed` does, to be called in a restored process.

    A generator of `random` then stands where a seed of 0 puts it: of its own state nothing is left that it drew before.

    For a plain generator of `random` that is the C method below `Random.seed`. Call this last before an image is taken:
    it also drops the generator's kept normal variate, as `Random.seed` does.

    Args:
        seed: The bound `seed` method of a generator, or another callable that seeds one.
    """
    random: Any = sys.modules.get("random")
    generator: Any = getattr(seed, "__self__", None)
    if random is None or not isinstance(generator, random.Random):
        return seed
    c_seed: Callable[..., object] = super(random.Random, generator).seed
    c_seed(0)
    if type(generator) is not random.Random:
        return seed
    generator.gauss_next = None
    return c_seed
