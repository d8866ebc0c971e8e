"""Serves a project and replaces what serves after every save that is good."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from watchfiles import Change, DefaultFilter, awatch

from pyl.emulator.emulator import Emulator
from pyl.emulator.loading import BrokenSource, Loader
from pyl.emulator.packages import SOURCE
from pyl.emulator.version import Version
from pyl.errors import EngineError, PylError
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
        """Load anew after every change below `root`, until `stop` is set.

        Raises `EngineError` where the system watches no more folders.
        """
        with _watching(root):
            try:
                await self._follow(root, stop, loaded, all_of_it=True)
            except PermissionError:  # a database's folder, perhaps
                await self._follow(root, stop, loaded, all_of_it=False)

    async def _follow(
        self, root: Path, stop: asyncio.Event, loaded: Callable[[Version], None], *, all_of_it: bool
    ) -> None:
        """Without `all_of_it`, folders that cannot be watched are left out, whatever the reason."""
        changes = awatch(
            root,
            watch_filter=_ProjectFilter(root, packages=self._loader.package != SOURCE),
            stop_event=stop,
            step=_STEP,
            rust_timeout=60_000,
            ignore_permission_denied=not all_of_it,
        )
        first = asyncio.ensure_future(anext(changes))
        try:
            await asyncio.sleep(0)  # now the system watches; what was saved before it did is looked at here
            await self._load_anew(loaded)
            await first
        except StopAsyncIteration:
            return
        finally:
            first.cancel()
        await self._load_anew(loaded)
        async for _ in changes:
            await self._load_anew(loaded)

    async def _load_anew(self, loaded: Callable[[Version], None]) -> None:
        if version := await self.load():
            loaded(version)


@contextmanager
def _watching(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        msg = f"cannot watch {root}: {error}"
        hint = "raise the limit: `sysctl fs.inotify.max_user_watches=524288`; or set WATCHFILES_FORCE_POLLING=1"
        raise EngineError(msg, hint=hint) from error


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
