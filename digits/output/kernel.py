"""The kernel of a notebook that no person watches: this Python, with nobody's own settings.

It is forked from a process that has imported what notebooks import, which so happens once for
several notebooks; where processes cannot be forked, it starts as one of its own.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from multiprocessing import forkserver, resource_tracker

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from digits.study.workers import ENVIRONMENT

LAUNCHER = "ipykernel_launcher"
#: How a kernel shows pictures; matplotlib asks as it is imported, which is before the fork.
INLINE = "module://matplotlib_inline.backend_inline"


def prepare() -> bool:
    """Start the process that kernels are forked from, if need be; say whether there can be one."""
    methods = multiprocessing.get_all_start_methods()
    if sys.platform != "linux" or "forkserver" not in methods:
        return False  # a fork may not use all libraries of macOS
    forkserver.set_forkserver_preload(["digits.output.warm"])
    try:
        resource_tracker.ensure_running()  # else the other would, and let interrupts through
        with _without_interrupts(), _environment(ENVIRONMENT | {"MPLBACKEND": INLINE}):
            forkserver.ensure_running()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Let what is started meanwhile see no interrupt; it ends with this process all the same."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _environment(more: dict[str, str]) -> Iterator[None]:
    """Let what is started meanwhile have `more` in its environment."""
    before = {name: os.environ.get(name) for name in more}
    os.environ.update(more)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


class ThisPython(AsyncKernelManager):
    """Starts kernels of this Python, whatever kernels or IPython profile the user has.

    Another kernel called python3 may be of another Python, and a profile may define names or
    change how figures look. IPython's own files lie in the folder for temporary files.
    """

    def __init__(self, **settings):
        super().__init__(**settings)
        self.provisioner = _Forked(kernel_spec=self.kernel_spec, parent=self)

    @property
    def kernel_spec(self) -> KernelSpec:
        """What starts the kernel; its log must not end up between our lines."""
        settings = [
            f"--ipython-dir={tempfile.gettempdir()}",
            "--InteractiveShellApp.exec_PYTHONSTARTUP=False",
            "--log-level=CRITICAL",
        ]
        launch = [sys.executable, "-m", LAUNCHER, "-f", "{connection_file}"]
        return KernelSpec(argv=launch + settings, language="python", display_name="Python 3")


class _Forked(LocalProvisioner):
    """Forks the kernel from the process that `prepare` starts."""

    async def launch_kernel(self, cmd: list[str], **options):
        options["env"] = options["env"] | ENVIRONMENT
        if not prepare():
            return await super().launch_kernel(cmd, **options)
        context = multiprocessing.get_context("forkserver")
        arguments = cmd[cmd.index(LAUNCHER) + 1 :]
        process = context.Process(target=_run, args=(arguments, dict(options["env"])), daemon=True)
        process.start()
        self.process = _Process(process)
        self.pid = self.pgid = process.pid
        return self.connection_info


class _Process:
    """A forked process that looks like a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, process: multiprocessing.Process):
        self._process, self.pid = process, process.pid
        self.terminate, self.kill = process.terminate, process.kill

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self) -> int | None:
        self._process.join()
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


def _run(arguments: list[str], env: dict[str, str]) -> None:
    """Be a kernel, in a process group of its own, until it is ended or its parent ends."""
    import numpy
    from ipykernel.kernelapp import launch_new_instance

    os.setsid()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    os.environ.clear()
    os.environ.update(env)
    numpy.random.seed()  # others that are forked have the same random numbers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    launch_new_instance(argv=arguments)


def _end_with_parent() -> None:
    """End this process when the one that asked for it has ended."""
    multiprocessing.parent_process().join()
    os._exit(1)
