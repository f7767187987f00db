"""Starts a flow from the command line: checks that Prefect can run before anything else happens, imports it only here.

With `PREFECT_API_URL` (or a Prefect profile) flows run under that server; with none Prefect starts a temporary one.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx
import typer

from extractors.errors import UserError

SETTINGS = {
    # Its temporary server takes 10-35 s to start on two cores; Prefect's own limit of 20 s fails.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # The temporary server reports its own shutdown as errors.
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "extractors,transforms,warehouse,flows",
}
TAG = "ogi"
"""On every flow run of this project, however it is started; `prefect.yaml` says the same."""
ANSWER_SECONDS = 10
START_SECONDS = 120


def run_flow(name: str, **parameters: Any) -> Any:
    """Runs the flow `flows.<name>:<name>`, tagged as the deployments are; its final state.

    `UserError` when the Prefect server does not answer.
    """
    is_temporary = connect()
    flow = getattr(importlib.import_module(f"flows.{name}"), name)
    from prefect import tags

    with (
        tags(TAG),
        unwatched() if is_temporary else contextlib.nullcontext(),
        _stopped_by_keyboard(name, is_temporary),
    ):
        return flow(**parameters, return_state=True)


@contextlib.contextmanager
def _stopped_by_keyboard(name: str, is_temporary: bool) -> Iterator[None]:
    """Ctrl-C ends the command with exit code 2 at once. Prefect would wait for threads that sleep until a portal's next
    try; a flow may be stopped at any moment.
    """

    def stop(number: int, frame: Any) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        typer.echo(
            f"ogi: {name} was stopped; what was kept stays, the same command goes on from it", err=True
        )
        with contextlib.suppress(Exception):
            _end_run(is_temporary)
        sys.stdout.flush()
        os._exit(2)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _end_run(is_temporary: bool) -> None:
    """Ends the temporary server, or says at the lasting one that this run goes on no more."""
    if is_temporary:
        from prefect.server.api.server import SubprocessASGIServer

        SubprocessASGIServer().stop()
        return
    from prefect.client.orchestration import get_client
    from prefect.context import FlowRunContext
    from prefect.states import Cancelled, State

    if (context := FlowRunContext.get()) and context.flow_run:
        with get_client(sync_client=True) as client:
            stopped: State[Any] = Cancelled(message="stopped at the keyboard")
            client.set_flow_run_state(context.flow_run.id, stopped, force=True)


@contextlib.contextmanager
def unwatched() -> Iterator[None]:
    """Flows send no heartbeats here: a temporary server ends with its command, so nobody is left to miss them, and
    Prefect waits up to a second at a flow's end for the thread that sends them.
    """
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield


def connect() -> bool:
    """Prefect's settings, and a look whether the server they name is there; whether a temporary one will be started."""
    for setting, value in SETTINGS.items():
        os.environ.setdefault(setting, value)
    from prefect.settings import PREFECT_API_URL

    url = PREFECT_API_URL.value()
    if not url:
        _tell_of_server()
        return True
    try:
        httpx.get(f"{url.rstrip('/')}/health", timeout=ANSWER_SECONDS).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(
            f"PREFECT_API_URL={url}: no Prefect server answers there ({reason}); start it with `prefect server start`, "
            "or unset PREFECT_API_URL to run without one; nothing was changed"
        ) from None
    return False


@cache
def _tell_of_server() -> None:
    """Said once a command, as the server is started once."""
    typer.echo(
        "starting a temporary Prefect server (10 to 35 s; PREFECT_API_URL names a running one)", err=True
    )


@contextlib.contextmanager
def lasting_server() -> Iterator[str]:
    """The API address of the server that is set, else of one started here: a temporary one never starts what is due."""
    for setting, value in SETTINGS.items():
        os.environ.setdefault(setting, value)
    from prefect.settings import PREFECT_API_URL, temporary_settings

    if PREFECT_API_URL.value():
        connect()
        yield str(PREFECT_API_URL.value())
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}/api"
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    typer.echo(f"starting a Prefect server for this machine: {url.removesuffix('/api')}", err=True)
    # In a session of its own, so that Ctrl-C ends the flows first and the server after them. Its pages ask the API at
    # the default port unless they are told.
    server = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={"PREFECT_SERVER_UI_API_URL": url, **os.environ},
    )
    try:
        _wait_for(server, url)
        os.environ["PREFECT_API_URL"] = url
        with temporary_settings({PREFECT_API_URL: url}):
            yield url
    finally:
        server.terminate()
        server.wait()


def _wait_for(server: subprocess.Popen[bytes], url: str) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if server.poll() is not None:
            raise UserError(f"the Prefect server ended at its start (exit code {server.returncode})")
        with contextlib.suppress(httpx.HTTPError):
            httpx.get(f"{url}/health", timeout=ANSWER_SECONDS).raise_for_status()
            return
        time.sleep(0.5)
    raise UserError(f"the Prefect server at {url} did not answer within {START_SECONDS} seconds")


def end(state: Any) -> None:
    """Prints what a flow came to and leaves with 0, 1 (portals failed, named) or raises `UserError` (exit code 2)."""
    result = state.result(raise_on_failure=False)
    if isinstance(result, UserError):
        raise result
    if isinstance(result, OSError) and result.errno == errno.ENOSPC:
        raise UserError("no space is left on the disk; free some and run again")
    if isinstance(result, BaseException):
        raise result
    for sentence in result.sentences():
        typer.echo(sentence)
    if state.is_failed():
        raise UserError(f"{state.message}; nothing new could be had")
    raise typer.Exit(1 if result.failed else 0)
