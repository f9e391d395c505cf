"""A dask cluster of worker processes on this machine: `--cluster local:N`.

dask's own `LocalCluster` starts its workers out of this process: they inherit its environment, which dask changes for
that, and import from the folder that it was started in. Here each worker and the nanny that starts it again have a
process and an environment of their own. This file is also that process's program.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TypedDict

import distributed
from distributed.deploy.spec import ProcessInterface

from autograder.batch.judges import JudgeFault
from autograder.language import _

HOST = "127.0.0.1"
START_SECONDS = 120.0
END_SECONDS = 5.0  # for ending in good order


class WorkerOrder(TypedDict):
    """What the process of a worker is told."""

    scheduler: str
    name: int
    resources: dict[str, float]


def local_cluster(workers: int, resources: Mapping[str, float]) -> AbstractContextManager[object]:
    """A scheduler in this process, and so many workers in processes of their own.

    Raises:
        JudgeFault: a worker does not start.
    """
    # At loopback, and no dashboard: nothing of it can be reached from elsewhere.
    scheduler = {"host": HOST, "port": 0, "protocol": "tcp", "dashboard": False, "dashboard_address": None}
    worker = {"cls": LocalWorker, "options": {"resources": dict(resources)}}
    cluster: AbstractContextManager[object] = distributed.SpecCluster(  # type: ignore[no-untyped-call]
        scheduler={"cls": distributed.Scheduler, "options": scheduler},
        workers=dict.fromkeys(range(workers), worker),
        name="local",
        silence_logs=logging.CRITICAL,
    )
    return cluster


class LocalWorker(ProcessInterface):
    """A process with a nanny, which starts a worker and starts it again when it is lost."""

    def __init__(self, scheduler: str, name: int, resources: Mapping[str, float]) -> None:
        self._order: WorkerOrder = {"scheduler": scheduler, "name": name, "resources": dict(resources)}
        self._process: asyncio.subprocess.Process | None = None
        super().__init__(scheduler, name)  # type: ignore[no-untyped-call]

    async def start(self) -> None:
        """Start the process and wait until the worker is there."""
        # We may have been started among students' files: a `json.py` there would be run by nanny and worker.
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "autograder.batch.cluster_local", json.dumps(self._order),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            env=dict(os.environ) | {"PYTHONSAFEPATH": "1", "DASK_LOGGING__DISTRIBUTED": "critical"},
            start_new_session=True,  # Ctrl-C is for us, who then end it in good order
        )  # fmt: skip
        assert self._process.stdout is not None
        answer = b""
        with contextlib.suppress(TimeoutError):
            answer = await asyncio.wait_for(self._process.stdout.readline(), START_SECONDS)
        if not answer:
            await self.close()
            raise JudgeFault(_("a dask worker on this machine did not start"))
        await super().start()  # type: ignore[no-untyped-call]

    async def close(self) -> None:
        """End the process by closing its pipe, and kill what is left of it."""
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            process.stdin.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 2 * END_SECONDS)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        await super().close()  # type: ignore[no-untyped-call]


async def _serve(order: WorkerOrder) -> None:
    ended = asyncio.Event()
    threading.Thread(target=_await_end, args=(asyncio.get_running_loop(), ended), daemon=True).start()
    nanny = distributed.Nanny(
        order["scheduler"], nthreads=1, name=order["name"], resources=order["resources"], host=HOST, memory_limit=0,
        dashboard=False,
    )  # fmt: skip
    async with nanny:
        print("ready", flush=True)
        await ended.wait()


def _await_end(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    """The other end of our pipe closes when we are to end, and when whoever started us was killed."""
    while os.read(0, 1024):
        pass
    loop.call_soon_threadsafe(ended.set)
    time.sleep(END_SECONDS)
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    """Run a nanny as the command line says."""
    asyncio.run(_serve(json.loads(sys.argv[1])))


if __name__ == "__main__":
    main()
