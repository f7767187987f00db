"""Bounded parallel reading: many items through worker processes, each item under a time and a memory limit.

A worker that hangs, swells or dies costs its own item and no other. Workers are fresh processes that import
only the work they are given, never the program that started them. Knows nothing of documents: the work is
named by import path, takes one item and gives anything that pickles. Never reports an item twice; one that
was finished but not yet sent when its worker died is done again, so the work must be a pure function.

How the limits hold at many hundred items a second: items travel in batches; the worker says which item it is
at in shared memory, the kernel's timer ends it, and the supervisor watches its resident memory.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing import Pipe, connection
from typing import Any

from extractors.errors import UserError
from extractors.pool_worker import IDLE, Beat, resident_bytes

BATCH_SECONDS = 0.25
"""Work in one batch, by the rate seen so far: long enough to cost nothing, short enough to share the end
fairly.
"""

MAX_BATCH = 256
MAX_BATCH_BYTES = 16_000_000
WATCH_SECONDS = 0.05
START_SECONDS = 60.0
Entry = tuple[int, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item. `place` is its position among the items; `refused` the reason, "" when it was
    done.

    `is_fault` says that the work failed with an unexpected error, which is ours to mend.
    """

    place: int
    item: Any
    result: Any = None
    refused: str = ""
    is_fault: bool = False


@dataclass(slots=True, eq=False)
class _Worker:
    process: subprocess.Popen[bytes]
    pipe: Any
    beat: Beat
    started: float
    batch: deque[Entry] = field(default_factory=deque)
    ready: bool = False


def run_bounded(
    items: Iterable[Any],
    work: str,
    processes: int | None = None,
    seconds: float = 30.0,
    megabytes: int = 500,
) -> Iterator[Outcome]:
    """Runs `work` ("package.module:function") over `items`; yields one `Outcome` an item, in no fixed order.

    items: taken as workers ask for them, never all at once. processes: one a processor when None.
    seconds, megabytes: wall time and resident memory an item may take in its worker. `Refused` raised by the
    work is its reason; any other exception is a fault, named with its type. UserError when the work cannot be
    imported.
    """
    if ":" not in work:
        raise UserError(f"the work is named as 'package.module:function', found {work!r}")
    supervisor = _Supervisor(items, work, seconds, megabytes)
    try:
        yield from supervisor.run(processes or os.cpu_count() or 1)
    finally:
        supervisor.stop()


class _Supervisor:
    def __init__(self, items: Iterable[Any], work: str, seconds: float, megabytes: int) -> None:
        self._items = enumerate(items)
        self._more = True
        self._returned: deque[Entry] = deque()
        self._work = work
        self._seconds = seconds
        self._megabytes = megabytes
        self._workers: list[_Worker] = []
        self._stillborn = 0
        self._batch = 2
        self._handed: dict[_Worker, tuple[float, int]] = {}

    def run(self, processes: int) -> Iterator[Outcome]:
        while True:
            self._hand_out(processes)
            if not any(worker.batch for worker in self._workers) and not self._more and not self._returned:
                return
            pipes = {worker.pipe: worker for worker in self._workers}
            for pipe in connection.wait(list(pipes), WATCH_SECONDS):
                yield from self._receive(pipes[pipe])
            for worker in list(self._workers):
                yield from self._watch(worker)

    def stop(self) -> None:
        """Ends every worker at once; nothing of an abandoned run goes on."""
        for worker in list(self._workers):
            self._remove(worker)

    def _hand_out(self, processes: int) -> None:
        """Gives every idle worker a batch, and starts workers while there are items for them."""
        idle = [worker for worker in self._workers if worker.ready and not worker.batch]
        for worker in idle:
            batch = self._next_batch()
            if not batch:
                break
            worker.batch.extend(batch)
            self._handed[worker] = (time.monotonic(), len(batch))
            try:
                worker.pipe.send(batch)
            except OSError:
                continue  # It died between two batches; the end of its pipe is seen and its batch given back.
        while len(self._workers) < processes and (self._returned or self._peek()):
            self._workers.append(self._start())

    def _peek(self) -> bool:
        """Whether an item is left; takes one from the items when it must look."""
        if not self._returned and self._more:
            entry = next(self._items, None)
            if entry is None:
                self._more = False
            else:
                self._returned.append(entry)
        return bool(self._returned)

    def _next_batch(self) -> list[Entry]:
        batch: list[Entry] = []
        size = 0
        while len(batch) < self._batch and size < MAX_BATCH_BYTES and self._peek():
            batch.append(self._returned.popleft())
            size += _size(batch[-1][1])
        return batch

    def _start(self) -> _Worker:
        ours, theirs = Pipe()
        with tempfile.TemporaryFile() as shared:
            shared.truncate(16)
            beat = Beat(shared.fileno())
            beat.set(IDLE)
            arguments = [
                theirs.fileno(),
                shared.fileno(),
                self._work,
                self._seconds,
                self._megabytes,
                os.getpid(),
            ]
            process = subprocess.Popen(
                [sys.executable, "-m", "extractors.pool_worker", *map(str, arguments)],
                pass_fds=(theirs.fileno(), shared.fileno()),
                stdin=subprocess.DEVNULL,
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(path or "." for path in sys.path),
                    "OMP_NUM_THREADS": "1",
                    "MALLOC_ARENA_MAX": "2",
                },
            )
        theirs.close()
        return _Worker(process, ours, beat, time.monotonic())

    def _receive(self, worker: _Worker) -> Iterator[Outcome]:
        """One message of a worker; the end of its pipe is the end of the worker."""
        try:
            kind, content = pickle.loads(worker.pipe.recv_bytes())
        except (EOFError, OSError):
            yield from self._bury(worker, "")
            return
        if kind == "ready":
            worker.ready, self._stillborn = True, 0
        elif kind == "broken":
            raise UserError(content)
        elif kind == "grown":
            self._returned.extendleft(reversed(worker.batch))
            self._remove(worker)
        else:
            yield from self._reported(worker, content)

    def _reported(self, worker: _Worker, answers: list[tuple[int, Any, str, bool]]) -> Iterator[Outcome]:
        for place, result, refused, is_fault in answers:
            _, item = worker.batch.popleft()
            yield Outcome(place, item, result, refused, is_fault)
        if not worker.batch:
            since, count = self._handed[worker]
            took = max((time.monotonic() - since) / count, 1e-5)
            self._batch = max(1, min(MAX_BATCH, 2 * self._batch, int(BATCH_SECONDS / took)))

    def _watch(self, worker: _Worker) -> Iterator[Outcome]:
        """Ends a worker that swells or never begins. (Time is watched by the kernel, inside the worker.)"""
        if worker not in self._workers:
            return
        if not worker.ready and time.monotonic() - worker.started > START_SECONDS:
            raise UserError(f"a worker for {self._work} did not start within {START_SECONDS:g} seconds")
        if worker.batch and resident_bytes(worker.process.pid) > self._megabytes * 1_000_000:
            yield from self._bury(worker, f"reading took more than {self._megabytes} MB of memory")

    def _bury(self, worker: _Worker, reason: str) -> Iterator[Outcome]:
        """Ends a worker: what it sent is reported, the item it was at refused, the rest given to others."""
        worker.process.kill()
        code = worker.process.wait()
        at = worker.beat.get()
        yield from self._last_words(worker)
        self._remove(worker)
        if not worker.ready:
            self._stillborn += 1
            if self._stillborn >= 3:
                raise UserError(f"workers for {self._work} end before they begin (exit code {code})")
        hit = [entry for entry in worker.batch if entry[0] == at]
        self._returned.extendleft(reversed([entry for entry in worker.batch if entry[0] != at]))
        for place, item in hit:
            yield Outcome(place, item, refused=reason or self._cause(code))

    def _last_words(self, worker: _Worker) -> Iterator[Outcome]:
        try:
            while worker.pipe.poll():
                kind, content = pickle.loads(worker.pipe.recv_bytes())
                if kind == "answers":
                    yield from self._reported(worker, content)
        except (EOFError, OSError):
            return

    def _cause(self, code: int) -> str:
        if code == -signal.SIGALRM:
            return f"reading took longer than {self._seconds:g} seconds"
        if code < 0:
            return f"its reader was ended by {signal.Signals(-code).name}, most likely by what the file holds"
        return f"its reader ended by itself with exit code {code}"

    def _remove(self, worker: _Worker) -> None:
        if worker in self._workers:
            self._workers.remove(worker)
        self._handed.pop(worker, None)
        worker.process.kill()
        worker.process.wait()
        worker.pipe.close()
        worker.beat.close()


def _size(item: Any) -> int:
    """Bytes an item brings along; what is no bytes counts nothing."""
    parts = item if isinstance(item, tuple) else (item,)
    return sum(len(part) for part in parts if isinstance(part, bytes))
