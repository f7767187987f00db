"""The pool's promises: every item reported once, limits that hold, no orphans, start-up and throughput."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from extractors.errors import UserError
from extractors.pool import run_bounded

BEHAVE = "tests.pool_work:behave"


def _seconds_of_work() -> float:
    """Processor time of this process and its ended workers, which a busy machine does not stretch."""
    return sum(os.times()[:4])


def test_every_item_comes_back_once() -> None:
    outcomes = list(run_bounded(range(5000), BEHAVE, processes=2))
    assert sorted(o.place for o in outcomes) == list(range(5000))
    assert all(o.result == 2 * o.item and not o.refused for o in outcomes)


@pytest.mark.parametrize(
    ("bad", "reason", "is_fault"),
    [
        ("hang", "longer than 1 seconds", False),
        ("sleep", "longer than 1 seconds", False),
        ("hog", "more than 200 MB", False),
        ("gulp", "more than 200 MB", False),
        ("exit", "exit code 7", False),
        ("segfault", "SIGSEGV", False),
        ("error", "ValueError: what was that", True),
        ("refuse", "not today", False),
        ("unpicklable", "cannot be passed on", True),
    ],
)
def test_a_bad_item_is_refused_alone(bad: str, reason: str, is_fault: bool) -> None:
    items = [1] * 40 + [bad] + [2] * 40
    outcomes = list(run_bounded(items, BEHAVE, processes=2, seconds=1, megabytes=200))
    assert Counter(o.place for o in outcomes) == Counter(range(81))
    refused = [o for o in outcomes if o.refused]
    assert [o.item for o in refused] == [bad]
    assert reason in refused[0].refused
    assert refused[0].is_fault is is_fault


def test_many_bad_items_among_good_ones() -> None:
    items = [["exit", "hang", "error", 1, 2][i % 5] for i in range(40)]
    outcomes = list(run_bounded(items, BEHAVE, processes=2, seconds=0.3))
    assert Counter(o.place for o in outcomes) == Counter(range(40))
    assert all(bool(o.refused) == isinstance(o.item, str) for o in outcomes)


def test_time_is_counted_for_the_item_not_for_its_batch_or_a_slow_consumer() -> None:
    outcomes = []
    for outcome in run_bounded(range(400), BEHAVE, processes=1, seconds=0.5):
        outcomes.append(outcome)
        if outcome.place == 10:
            time.sleep(1.2)
    assert not [o for o in outcomes if o.refused]


def test_grown_workers_are_replaced() -> None:
    outcomes = list(run_bounded(range(150), "tests.pool_work:leak", processes=1, megabytes=300))
    assert not [o.refused for o in outcomes if o.refused]
    assert len({o.result for o in outcomes}) > 2


def test_unknown_work_is_a_users_mistake() -> None:
    with pytest.raises(UserError, match="cannot be imported"):
        list(run_bounded([1], "tests.pool_work:nothing"))
    with pytest.raises(UserError, match=r"package\.module:function"):
        list(run_bounded([1], "tests.pool_work"))


def test_no_items_start_no_worker() -> None:
    began = time.process_time()
    assert list(run_bounded([], BEHAVE)) == []
    assert time.process_time() - began < 0.05


def test_worker_is_up_soon() -> None:
    began = _seconds_of_work()
    list(run_bounded([1], BEHAVE, processes=1))
    assert 0.01 < _seconds_of_work() - began < 2


def test_a_run_left_early_leaves_no_worker() -> None:
    run = run_bounded(["pid"] * 1000, BEHAVE, processes=1)
    pid = next(run).result
    run.close()
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGKILL])
def test_interrupt_and_kill_leave_no_orphans(tmp_path: Path, kill: signal.Signals) -> None:
    script = tmp_path / "run.py"
    script.write_text(
        "import sys\n"
        "from extractors.pool import run_bounded\n"
        "for o in run_bounded(['pid', 'pid', 'pid', 'pid'] + ['sleep'] * 9, 'tests.pool_work:behave', 2):\n"
        "    print(o.result, flush=True)\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p or "." for p in sys.path)}
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=env,
        start_new_session=True,
    )
    assert process.stdout is not None
    pids = {int(process.stdout.readline()) for _ in range(4)}
    time.sleep(0.3)
    process.send_signal(kill)
    process.wait(5)
    deadline = time.monotonic() + 5
    while any(_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [pid for pid in pids if _alive(pid)]


def _alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_throughput_of_reports_sized_items() -> None:
    """Overhead bound: 300 KB an item, two milliseconds of work for each on its way through the pool."""
    items = (os.urandom(1000) * 300 for _ in range(2000))
    began = _seconds_of_work()
    assert sum(o.result for o in run_bounded(items, "tests.pool_work:length", processes=2)) == 2000 * 300_000
    assert 0.1 < _seconds_of_work() - began < 4
