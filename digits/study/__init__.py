"""Which runs are wanted, training those that are missing, and their records as tables."""

from digits.study.frames import curves, tidy
from digits.study.runs import Run, execute
from digits.study.study import Study
from digits.study.trained import network_of
