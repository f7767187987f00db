"""Work for the pool's tests, imported by its workers: behaves badly on command. Never used outside tests."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from extractors.errors import Refused


def behave(item: Any) -> Any:
    """Does what the item says; anything unknown comes back doubled."""
    if item == "hang":
        while True:
            pass
    if item == "sleep":
        time.sleep(60)
    if item == "hog":
        held = []
        while True:
            held.append(bytearray(b"x" * 10_000_000))
            time.sleep(0.01)
    if item == "gulp":
        return len(bytearray(8_000_000_000))
    if item == "exit":
        os._exit(7)
    if item == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if item == "error":
        raise ValueError("what was that")
    if item == "refuse":
        raise Refused("not today")
    if item == "unpicklable":
        return lambda: None
    if item == "pid":
        return os.getpid()
    return item * 2


LEAK: list[bytes] = []


def leak(item: int) -> int:
    """Keeps four megabytes an item, as a reader with a leak would."""
    LEAK.append(os.urandom(1_000_000) * 4)
    return os.getpid()


def length(item: bytes) -> int:
    return len(item)
