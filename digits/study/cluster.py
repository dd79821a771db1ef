"""A Dask cluster: its scheduler is looked for before anything starts, and watched while it works.

Whoever connects to a cluster unpickles what its scheduler and its workers send, and without tls://
nothing of it is encrypted: use only clusters that you trust.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

from digits.core import InputError

TIMEOUT = 10  # seconds, for the answer of a scheduler
#: What an encrypted address needs.
TLS = (
    "; tls:// also needs the certificates that distributed.comm.tls in Dask's configuration names: "
    "ca-file, client.cert and client.key"
)


class Cluster:
    """A connection to a scheduler; see `connect`."""

    def __init__(self, scheduler: str, client):
        self.scheduler, self.client, self.told = scheduler, client, False

    def pool(self) -> Executor:
        """Return what runs are handed to."""
        return self.client.get_executor(pure=False)

    def workers(self) -> int:
        """Count the workers. Raises `InputError` if the scheduler has ended."""
        try:
            return len(self.client.scheduler_info(n_workers=-1)["workers"])
        except Exception as error:
            raise self.ended() from error

    def news(self) -> str:
        """Say once that all workers have ended, "" otherwise; a new worker goes on by itself."""
        lacking = not self.workers()
        told, self.told = self.told, lacking
        if not lacking or told:
            return ""
        return (
            f"the Dask scheduler at {self.scheduler} has no workers any more: waiting for new ones"
        )

    def ended(self) -> InputError:
        """Return the sentence on a scheduler that went away."""
        return InputError(
            f"the Dask scheduler at {self.scheduler} does not answer any more; what is recorded "
            "stays: start a scheduler and its workers again, then the same command goes on."
        )


@contextlib.contextmanager
def connect(scheduler: str) -> Iterator[Cluster]:
    """Connect to a scheduler ("tcp://host:8786") that has workers, or raise `InputError`.

    It and its workers need this package, and the workers MNIST in their own `DIGITS_DATA`. A worker
    that dies costs its runs in flight, which go to another one.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError(
            "a Dask cluster needs the package distributed: pip install -c constraints.txt "
            "-e '.[cluster]'."
        ) from error
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # no tracebacks of ours
    try:
        # A client that finds no scheduler lives on in its thread. When that one is collected just
        # while the next starts, both wait for one lock: so knock first, and make none in vain. In
        # a thread, since a notebook has an event loop of its own.
        with ThreadPoolExecutor(1) as pool:
            pool.submit(asyncio.run, _knock(scheduler)).result()
        client = Client(scheduler, timeout=TIMEOUT, set_as_default=False)
    except Exception as error:  # whoever listens there may send anything
        also = TLS if scheduler.startswith("tls:") else ""
        raise InputError(
            f"no Dask scheduler answers at {scheduler}: start one with `dask scheduler`, and name "
            f"the address that it prints, such as tcp://host:8786{also}."
        ) from error
    with client:
        cluster = Cluster(scheduler, client)
        if not cluster.workers():
            raise InputError(
                f"the Dask scheduler at {scheduler} has no workers: start some with "
                f"`dask worker {scheduler} --nthreads 1`, one for each core."
            )
        yield cluster


async def _knock(address: str) -> None:
    """Ask who is there; raise any error if it is no scheduler, or nobody."""
    from distributed import Security, rpc

    arguments = Security().get_connection_args("client")
    async with asyncio.timeout(TIMEOUT), rpc(address, TIMEOUT, connection_args=arguments) as there:
        if (await there.identity())["type"] != "Scheduler":
            raise ValueError(f"{address} is no scheduler")
