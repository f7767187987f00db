"""One worker of `extractors.pool`: takes batches of items from its supervisor, answers them one by one, in
order.

Runs as its own process (`python -m extractors.pool_worker`) and imports nothing but the work it is given. The
kernel ends it when an item takes too long, even inside a library that never returns; it ends itself when its
supervisor is gone or its memory has grown.
"""

from __future__ import annotations

import importlib
import mmap
import os
import pickle
import resource
import signal
import struct
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from extractors.errors import Refused

REPLY_SECONDS = 0.25
"""Finished items are sent at least this often, so that progress shows and a kill loses little."""

HEADROOM = 1 << 30
"""Address space above what is mapped at the start and the limit: libraries map far more than they use. The
supervisor's watch over resident memory is the tight limit, this the wall behind it."""

IDLE = -1
Answer = tuple[int, Any, str, bool]
"""Place of the item, result, reason of refusal or "", whether that is a fault of the work."""


def resident_bytes(pid: int | str = "self") -> int:
    """Resident memory of a process; 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as stream:  # noqa: PTH123
            return int(stream.read().split()[1]) * resource.getpagesize()
    except (OSError, IndexError):
        return 0


class Beat:
    """Sixteen shared bytes that say which item the worker is at: no message, so it costs nothing an item."""

    def __init__(self, descriptor: int) -> None:
        self._shared = mmap.mmap(descriptor, 16)

    def set(self, place: int) -> None:
        self._shared[:8] = struct.pack("q", place)

    def get(self) -> int:
        return int(struct.unpack("q", self._shared[:8])[0])

    def close(self) -> None:
        self._shared.close()


def main() -> None:
    """Arguments: descriptors of pipe and beat, work, seconds, megabytes, the supervisor's process id."""
    pipe, beat = Connection(int(sys.argv[1])), Beat(int(sys.argv[2]))
    name, seconds, megabytes, parent = sys.argv[3], float(sys.argv[4]), int(sys.argv[5]), int(sys.argv[6])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    try:
        module, _, function = name.partition(":")
        work = getattr(importlib.import_module(module), function)
    except Exception as error:
        pipe.send(("broken", f"the work {name} cannot be imported: {type(error).__name__}: {error}"))
        return
    fresh = max(megabytes * 500_000, resident_bytes() + megabytes * 250_000)
    limit = _mapped_bytes() + megabytes * 1_000_000 + HEADROOM
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    pipe.send(("ready", None))
    replies = _Replies(pipe)
    while True:
        try:
            batch = pipe.recv()
        except EOFError:
            return
        if not _serve(replies, beat, batch, work, seconds, megabytes, fresh):
            return


def _serve(
    replies: _Replies,
    beat: Beat,
    batch: list[tuple[int, Any]],
    work: Callable[[Any], Any],
    seconds: float,
    megabytes: int,
    fresh: int,
) -> bool:
    """Answers one batch; False when the worker grew past `fresh` bytes and leaves the rest to a new one."""
    for index, (place, item) in enumerate(batch):
        beat.set(place)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        answer = _answer(place, item, work, megabytes)
        signal.setitimer(signal.ITIMER_REAL, 0)
        replies.add(answer)
        batch[index] = (place, None)
        if resident_bytes() > fresh:
            beat.set(IDLE)
            replies.flush()
            replies.pipe.send(("grown", None))
            return False
    beat.set(IDLE)
    replies.flush()
    return True


def _answer(place: int, item: Any, work: Callable[[Any], Any], megabytes: int) -> Answer:
    try:
        return place, work(item), "", False
    except Refused as refused:
        return place, None, str(refused), False
    except MemoryError:
        return place, None, f"reading took more than {megabytes} MB of memory", False
    except RecursionError:
        return place, None, "its parts are nested too deeply to be read", False
    except Exception as error:
        return place, None, f"reading failed: {type(error).__name__}: {error}"[:500], True


class _Replies:
    """Answers on their way: sent when a batch ends, and meanwhile by a thread, so that none waits behind a
    slow item.
    """

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe
        self._answers: list[Answer] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._send_now_and_then, daemon=True).start()

    def add(self, answer: Answer) -> None:
        with self._lock:
            self._answers.append(answer)

    def flush(self) -> None:
        with self._lock:
            answers, self._answers = self._answers, []
            if not answers:
                return
            try:
                message = pickle.dumps(("answers", answers), pickle.HIGHEST_PROTOCOL)
            except Exception:
                message = pickle.dumps(("answers", [_portable(a) for a in answers]), pickle.HIGHEST_PROTOCOL)
            self.pipe.send_bytes(message)

    def _send_now_and_then(self) -> None:
        while True:
            time.sleep(REPLY_SECONDS)
            self.flush()


def _portable(answer: Answer) -> Answer:
    try:
        pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        return answer[0], None, f"its result cannot be passed on: {type(error).__name__}: {error}"[:500], True
    return answer


def _mapped_bytes() -> int:
    with open("/proc/self/statm", "rb") as stream:  # noqa: PTH123
        return int(stream.read().split()[0]) * resource.getpagesize()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    main()
