"""Serves a project and replaces what serves after every save that is good."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from watchfiles import Change, DefaultFilter, awatch

from pyl.emulator.emulator import Emulator
from pyl.emulator.loading import BrokenSource, Loader
from pyl.emulator.packages import SOURCE
from pyl.emulator.version import Version
from pyl.errors import PylError
from pyl.progress import Progress

_STEP = 100
"""Milliseconds between two looks at what the system has noticed; a save is served after the first quiet one."""


class _ProjectFilter(DefaultFilter):
    """Leaves out what no package is made from: tools' folders, and what builds write, unless a package is served."""

    def __init__(self, root: Path, *, packages: bool) -> None:
        super().__init__()
        self._output = None if packages else root / "build"

    def __call__(self, change: Change, path: str) -> bool:
        if self._output and Path(path).is_relative_to(self._output):
            return False
        return super().__call__(change, path)


class Reload:
    """Loads versions into an emulator; a broken one leaves the last good one serving."""

    def __init__(self, emulator: Emulator, loader: Loader, progress: Progress) -> None:
        self._emulator = emulator
        self._loader = loader
        self._progress = progress

    async def load(self) -> Version | None:
        """Serve what is there now, if it is new and good; else say why not."""
        serving = self._emulator.version
        try:
            version = await self._loader.load(strict=serving is not None)
        except PylError as error:
            self._explain(error, serving=serving is not None)
            return None
        if version is not None:
            self._emulator.replace(version)
        return version

    def _explain(self, error: PylError, *, serving: bool) -> None:
        hint = f"\n  {error.hint}" if error.hint else ""
        after = "the last good version goes on serving" if serving else "nothing is served until this is mended"
        what = "functions cannot be imported:\n" if isinstance(error, BrokenSource) else ""
        self._emulator.refuse(error.message)
        self._progress.note(f"{what}{error.message}{hint}\n{after}")

    async def follow(self, root: Path, stop: asyncio.Event, loaded: Callable[[Version], None]) -> None:
        """Load anew after every change below `root`, until `stop` is set."""
        kept = _ProjectFilter(root, packages=self._loader.package != SOURCE)
        changes = awatch(root, watch_filter=kept, stop_event=stop, step=_STEP, rust_timeout=60_000)
        async for _ in changes:
            if version := await self.load():
                loaded(version)


@asynccontextmanager
async def stopped_by_signals() -> AsyncIterator[asyncio.Event]:
    """An event that is set by Ctrl-C, SIGTERM and SIGHUP."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        if before[number] != signal.SIG_IGN:  # nohup keeps its meaning
            loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
            signal.signal(number, before[number])
