"""The progress bar of training."""

import sys
import threading

from tqdm import tqdm

from digits.runs import Run, expected_seconds


class ProgressBar:
    """What is done, what runs now, and the time left by expected cost.

    On a terminal the line is renewed every second, however long a run takes; elsewhere (a log, a
    notebook) a line is added every twenty seconds at most.

    running: the names of the runs that were started and have not ended, in order of starting.
    """

    def __init__(self, runs: list[Run], workers: int):
        self.total, self.done, self.workers = len(runs), 0, workers
        self.running: dict[str, None] = {}
        terminal = sys.stderr.isatty()
        self.bar = tqdm(
            total=sum(expected_seconds(run.experiment) for run in runs),
            desc=f"trained 0/{self.total}",
            bar_format="{desc} |{bar:20}| {elapsed} elapsed, {remaining} left{postfix}",
            dynamic_ncols=True,
            smoothing=0,
            mininterval=0.2 if terminal else 20,
        )
        self.stopped = threading.Event()
        if terminal:
            threading.Thread(target=self._tick, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.bar.close()

    def started(self, run: Run) -> None:
        """Show that `run` is under way; said again of a run that starts anew."""
        self.running[str(run)] = None
        self._describe()

    def ended(self, run: Run) -> None:
        """Show that `run` is done, and its outcome recorded."""
        self.running.pop(str(run))
        self.done += 1
        self._describe()
        left = self.bar.total - self.bar.n  # sums of many costs differ in the last digits
        self.bar.update(min(expected_seconds(run.experiment), left))

    def _describe(self) -> None:
        self.bar.set_description_str(f"trained {self.done}/{self.total}", refresh=False)
        # A worker may have begun its next run before the last one's record is here.
        now = ", ".join(list(self.running)[-self.workers :])
        self.bar.set_postfix_str(f"now {now}" if now else "", refresh=False)

    def _tick(self) -> None:
        while not self.stopped.wait(1):
            self.bar.refresh()
