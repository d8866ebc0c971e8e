"""Reloads a project after every save, and keeps serving the last good version if the new one is broken."""

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
"""Milliseconds between two checks for changes. A save is loaded after the first check without another change."""


class _ProjectFilter(DefaultFilter):
    """Ignores the folders of tools and, unless a package is served, what builds write."""

    def __init__(self, root: Path, *, packages: bool) -> None:
        super().__init__()
        self._output = None if packages else root / "build"

    def __call__(self, change: Change, path: str) -> bool:
        if self._output and Path(path).is_relative_to(self._output):
            return False
        return super().__call__(change, path)


class Reloader:
    """Loads versions of a project into an emulator. If one is broken, the last good one stays in service."""

    def __init__(self, emulator: Emulator, loader: Loader, progress: Progress) -> None:
        self._emulator = emulator
        self._loader = loader
        self._progress = progress

    async def load(self) -> Version | None:
        """Load the current files and serve them. Report the problem if that fails.

        Returns:
            The new version; None if it is broken or nothing has changed.
        """
        serving = self._emulator.version
        try:
            version = await self._loader.load(strict=serving is not None)
        except PylError as error:
            self._report(error, serving=serving is not None)
            return None
        if version is not None:
            self._emulator.replace(version)
        return version

    def _report(self, error: PylError, *, serving: bool) -> None:
        hint = f"\n  {error.hint}" if error.hint else ""
        after = "the last good version is still served" if serving else "nothing is served until this is fixed"
        what = "functions cannot be imported:\n" if isinstance(error, BrokenSource) else ""
        self._emulator.set_not_ready(error.message)
        self._progress.note(f"{what}{error.message}{hint}\n{after}")

    async def follow(self, root: Path, stop: asyncio.Event, loaded: Callable[[Version], None]) -> None:
        """Reload after every change of a file, until `stop` is set.

        Args:
            root: The folder to watch.
            stop: Ends the loop.
            loaded: Called with each new version.

        Raises:
            EngineError: The folder cannot be watched.
        """
        with _explain_watch_errors(root):
            try:
                await self._follow(root, stop, loaded, require_all=True)
            except PermissionError:  # such as the data folder of a database
                await self._follow(root, stop, loaded, require_all=False)

    async def _follow(
        self, root: Path, stop: asyncio.Event, loaded: Callable[[Version], None], *, require_all: bool
    ) -> None:
        """Watch and reload. Without `require_all`, folders that cannot be watched are ignored."""
        changes = awatch(
            root,
            watch_filter=_ProjectFilter(root, packages=self._loader.package != SOURCE),
            stop_event=stop,
            step=_STEP,
            rust_timeout=60_000,
            ignore_permission_denied=not require_all,
        )
        first = asyncio.ensure_future(anext(changes))
        try:
            await asyncio.sleep(0)  # watching has begun; this loads what was saved before
            await self._reload(loaded)
            await first
        except StopAsyncIteration:
            return
        finally:
            first.cancel()
        await self._reload(loaded)
        async for _ in changes:
            await self._reload(loaded)

    async def _reload(self, loaded: Callable[[Version], None]) -> None:
        if version := await self.load():
            loaded(version)


@contextmanager
def _explain_watch_errors(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        msg = f"cannot watch {root}: {error}"
        hint = "raise the limit: `sysctl fs.inotify.max_user_watches=524288`; or set WATCHFILES_FORCE_POLLING=1"
        raise EngineError(msg, hint=hint) from error


@asynccontextmanager
async def stop_on_signals() -> AsyncIterator[asyncio.Event]:
    """Yield an event that Ctrl-C, SIGTERM and SIGHUP set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        if before[number] != signal.SIG_IGN:  # under nohup, SIGHUP stays ignored
            loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
            signal.signal(number, before[number])
