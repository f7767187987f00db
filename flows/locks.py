"""Locks below `data/locks`: who works on what, so that two runs never publish at once or ask one host together.

On a local disk the kernel holds the lock and lets go when its owner dies; elsewhere a small file with a heartbeat does.
What a lock protects is the caller's business.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import IO

from extractors.dataroot import DataRoot
from extractors.errors import UserError

log = logging.getLogger(__name__)

LOCKS = "locks"
SETTLE = "settle"
"""Held while readings become a published file: read, tidy, build, publish."""
LOOK_SECONDS = 0.5
HEARTBEAT_SECONDS = 30.0
LEASE_SECONDS = 300.0
"""A lock file on an object store whose owner did not write for so long is stale."""

OnWait = Callable[[str], None]


class Busy(UserError):
    """Somebody else holds the lock; the sentence says who and since when."""


@dataclass(frozen=True)
class Owner:
    """Who holds a lock: which work, in which process of which machine, since when (UTC), last seen when."""

    work: str
    pid: int
    host: str
    since: str
    seen: float

    @classmethod
    def me(cls, work: str) -> Owner:
        return cls(
            work, os.getpid(), socket.gethostname(), f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}", time.time()
        )

    @classmethod
    def parse(cls, content: bytes) -> Owner | None:
        """None for an empty or torn note, which says nothing."""
        try:
            return cls(**json.loads(content))
        except (ValueError, TypeError):
            return None

    def __str__(self) -> str:
        return f"{self.work} (process {self.pid} on {self.host}, since {self.since} UTC)"

    @property
    def is_gone(self) -> bool:
        """Whether the owner surely ended: its process is not on this machine any more, or its lease ran out."""
        if self.host == socket.gethostname():
            with contextlib.suppress(PermissionError):
                try:
                    os.kill(self.pid, 0)
                except ProcessLookupError:
                    return True
        return time.time() - self.seen > LEASE_SECONDS


@contextlib.contextmanager
def held(
    root: DataRoot,
    name: str,
    work: str,
    wait_seconds: float = 0.0,
    on_wait: OnWait = lambda sentence: None,
    stop: threading.Event | None = None,
) -> Iterator[None]:
    """Holds the lock `name` for `work`.

    wait_seconds: how long to wait for another owner; `on_wait` then hears once who that is. `Busy` when it lasts longer,
    or when `stop` is set.
    """
    stop = stop or threading.Event()
    safe = re.sub(r"[^\w.-]", "_", name)
    take = _held_locally if root.is_local else _held_by_lease
    until = time.monotonic() + wait_seconds
    told = False
    while True:
        with take(root, f"{LOCKS}/{safe}.lock", work) as other:
            if other is None:
                yield
                return
        if time.monotonic() >= until or stop.is_set():
            raise Busy(f"{root.address}: {name} is held by {other}; run again when it has ended")
        if not told:
            on_wait(f"waiting for {name}, held by {other}")
            told = True
        stop.wait(LOOK_SECONDS)


@contextlib.contextmanager
def hosts_held(
    root: DataRoot,
    hosts: Iterable[str],
    work: str,
    wait_seconds: float = 0.0,
    on_wait: OnWait = lambda sentence: None,
    stop: threading.Event | None = None,
) -> Iterator[None]:
    """Holds the lock of every host of a portal, in one order for all, so that no two wait for each other."""
    with contextlib.ExitStack() as taken:
        for host in sorted(hosts):
            taken.enter_context(held(root, f"host-{host}", work, wait_seconds, on_wait, stop))
        yield


def owner_of(root: DataRoot, name: str) -> str:
    """Who holds a lock right now, as a sentence's end; "" when nobody does."""
    with (_held_locally if root.is_local else _held_by_lease)(
        root, f"{LOCKS}/{name}.lock", "a look"
    ) as other:
        return str(other) if other else ""


@contextlib.contextmanager
def _held_locally(root: DataRoot, relative: str, work: str) -> Iterator[Owner | str | None]:
    """Gives None when the lock was taken, else who has it."""
    path = root.local(relative)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            yield Owner.parse(stream.read()) or "another run that is just starting"
            return
        _note_stale(stream, relative)
        _rewrite(stream, json.dumps(asdict(Owner.me(work))).encode())
        try:
            yield None
        finally:
            _rewrite(stream, b"")


def _note_stale(stream: IO[bytes], relative: str) -> None:
    stream.seek(0)
    if left := Owner.parse(stream.read()):
        log.info("%s was left behind by %s, which was stopped; taken over", relative, left)


def _rewrite(stream: IO[bytes], content: bytes) -> None:
    stream.truncate(0)
    stream.write(content)
    stream.flush()


@contextlib.contextmanager
def _held_by_lease(root: DataRoot, relative: str, work: str) -> Iterator[Owner | str | None]:
    """The same on an object store: a file that only one can create, kept fresh while the work lasts."""
    path = root.path(relative)
    found = _lease_of(root, path)
    other: Owner | str | None = found
    if found is not None and found.is_gone:
        log.info("%s was left behind by %s, which was stopped; taken over", relative, found)
        with contextlib.suppress(FileNotFoundError):
            root.fs.rm_file(path)
        other = None
    if other is None:
        other = _create(root, path, work)
    if other is not None:
        yield other
        return
    done = threading.Event()
    beat = threading.Thread(target=_keep_fresh, args=(root, path, work, done), daemon=True)
    beat.start()
    try:
        yield None
    finally:
        done.set()
        beat.join()
        with contextlib.suppress(FileNotFoundError):
            root.fs.rm_file(path)


def _lease_of(root: DataRoot, path: str) -> Owner | None:
    root.fs.invalidate_cache()
    try:
        return Owner.parse(root.fs.cat_file(path))
    except FileNotFoundError:
        return None


def _create(root: DataRoot, path: str, work: str) -> Owner | str | None:
    """None when the file was created by us; else who was faster."""
    content = json.dumps(asdict(Owner.me(work))).encode()
    try:
        root.fs.pipe_file(path, content, mode="create")
    except (FileExistsError, OSError):
        return _lease_of(root, path) or "another run that is just starting"
    return None


def _keep_fresh(root: DataRoot, path: str, work: str, done: threading.Event) -> None:
    since = Owner.me(work)
    while not done.wait(HEARTBEAT_SECONDS):
        fresh = Owner(since.work, since.pid, since.host, since.since, time.time())
        try:
            root.fs.pipe_file(path, json.dumps(asdict(fresh)).encode())
        except OSError as error:
            log.warning("the lock %s could not be kept fresh: %s", path, error)
