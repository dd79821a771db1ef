"""The line on a terminal that tells how far the training is."""

import sys

from tqdm import tqdm

from digits.study.runs import Run, expected_seconds


class ProgressBar(tqdm):
    """What is done, what runs now, and the time left by expected cost.

    On a terminal the line is renewed every second; elsewhere (a log, a notebook) a line is added
    every twenty seconds at most.
    """

    def __init__(self, runs: list[Run], workers: int):
        self.runs, self.done, self.workers = len(runs), 0, workers
        self.running: dict[str, None] = {}  # in order of starting
        super().__init__(
            total=sum(expected_seconds(run.experiment) for run in runs),
            desc=f"trained 0/{self.runs}",
            bar_format="{desc} |{bar:20}| {elapsed} elapsed, {remaining} left{postfix}",
            dynamic_ncols=True,
            smoothing=0,
            mininterval=0.2 if sys.stderr.isatty() else 20,
        )

    def started(self, run: Run) -> None:
        """Show that `run` is under way; said again of a run that starts anew."""
        self.running[str(run)] = None
        self._describe()

    def ended(self, run: Run) -> None:
        """Show that `run` is done and recorded."""
        self.running.pop(str(run))
        self.done += 1
        self._describe()
        # Sums of many costs differ in the last digits.
        self.update(min(expected_seconds(run.experiment), self.total - self.n))

    def _describe(self) -> None:
        self.set_description_str(f"trained {self.done}/{self.runs}", refresh=False)
        # A cluster is told of all runs at once, and begins with the first.
        now = ", ".join(list(self.running)[: self.workers])
        self.set_postfix_str(f"now {now}" if now else "", refresh=False)
