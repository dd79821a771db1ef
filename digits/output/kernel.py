"""The kernel of a notebook that no person watches: this Python, with nobody's own settings."""

import sys
import tempfile

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager


class ThisPython(AsyncKernelManager):
    """Starts kernels of this Python, whatever kernels or IPython profile the user has.

    Another kernel called python3 may be of another Python, and a profile may define names or
    change how figures look. IPython's own files lie in the folder for temporary files.
    """

    @property
    def kernel_spec(self) -> KernelSpec:
        """What starts the kernel; its log must not end up between our lines."""
        settings = [
            f"--ipython-dir={tempfile.gettempdir()}",
            "--InteractiveShellApp.exec_PYTHONSTARTUP=False",
            "--log-level=CRITICAL",
        ]
        launch = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=launch + settings, language="python", display_name="Python 3")
