"""Train runs on a Dask cluster: a scheduler that exists, and the workers that it has.

Its workers need this package, and MNIST in their own `DIGITS_DATA`. What is trained where is the
scheduler's to decide; a worker that dies costs its runs in flight, which go to another one.
"""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from digits.core import InputError
from digits.progress import ProgressBar
from digits.runs import Outcome, Run, attempt

TIMEOUT = 10  # seconds, for the scheduler's answer
#: Streams of random numbers belong to a process, so a process trains one run at a time.
_ONE_AT_A_TIME = threading.Lock()


def train_runs(runs: list[Run], source: str, scheduler: str) -> Iterator[Outcome]:
    """Train `runs` on the cluster of `scheduler` ("tcp://host:8786"); yield as they come.

    Raises `InputError` if no scheduler answers there, or it has no workers.
    """
    try:
        from distributed import Client, as_completed
    except ImportError as error:
        raise InputError(
            "a Dask cluster needs the package distributed: pip install -c constraints.txt "
            "-e '.[cluster]'."
        ) from error
    try:
        # A client that finds no scheduler lives on in its thread. When that one is collected just
        # while the next starts, both wait for one lock: so knock first, and make none in vain. In
        # a thread, since a notebook has an event loop of its own.
        with ThreadPoolExecutor(1) as pool:
            pool.submit(asyncio.run, _knock(scheduler)).result()
        client = Client(scheduler, timeout=TIMEOUT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(
            f"no Dask scheduler answers at {scheduler}: start one with `dask scheduler`, and name "
            "the address that it prints, such as tcp://host:8786."
        ) from error
    with client:
        workers = len(client.scheduler_info(n_workers=-1)["workers"])
        if not workers:
            raise InputError(
                f"the Dask scheduler at {scheduler} has no workers: start some with "
                f"`dask worker {scheduler} --nthreads 1`, one for each core."
            )
        with ProgressBar(runs, workers) as bar:
            futures = {}
            for run in runs:
                futures[client.submit(_one_at_a_time, run, source, pure=False)] = run
                bar.started(run)
            for future in as_completed(futures, loop=client.loop):
                run = futures.pop(future)
                error = future.exception()
                yield Outcome(run, None, f"{run}: {error}") if error else future.result()
                bar.ended(run)


async def _knock(address: str) -> None:
    """Ask who is there; raise `OSError` or `ValueError` if it is no scheduler, or nobody."""
    from distributed import Security, rpc

    arguments = Security().get_connection_args("client")
    async with asyncio.timeout(TIMEOUT), rpc(address, TIMEOUT, connection_args=arguments) as there:
        if (await there.identity())["type"] != "Scheduler":
            raise ValueError(f"{address} is no scheduler")


def _one_at_a_time(run: Run, source: str) -> Outcome:
    with _ONE_AT_A_TIME:
        return attempt(run, source)
