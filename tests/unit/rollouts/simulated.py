"""Tasks with heavy-tailed costs, and whole rollouts over them: the same seed, the same run."""

import math
import random

from functions.rollouts.evidence import Sample
from functions.rollouts.judge import Arms, judge
from shared.rollouts.plan import Bounds

SPREAD = 1.2
"""Of the logarithm of a task's cost: the dearest in a hundred costs 16 times the median."""
FAILS = 0.05
BOUNDS = Bounds()


class Load:
    """Tasks of two revisions, the candidate's dearer, slower or failing more if so asked."""

    def __init__(self, seed, *, share=0.1, dearer=1.0, slower=1.0, fails=FAILS, spread=SPREAD):
        self.rng = random.Random(seed)
        self.share, self.dearer, self.slower = share, dearer, slower
        self.fails, self.spread = fails, spread
        self.arms = Arms([], [])

    def step(self):
        """Add one task; tell whether it was the candidate's."""
        is_new = self.rng.random() < self.share
        arm = self.arms.candidate if is_new else self.arms.stable
        arm.append(self._sample(is_new))
        return is_new

    def _sample(self, is_new):
        size = self.rng.gauss(0, 1)
        nano = 1e6 * math.exp(self.spread * size) * (self.dearer if is_new else 1)
        wait = 0.6 * size + 0.8 * self.rng.gauss(0, 1)
        seconds = 2 * math.exp(0.8 * wait) * (self.slower if is_new else 1)
        fails = self.fails if is_new else FAILS
        return Sample(round(nano), self.rng.random() >= fails, seconds)


def ends(load, *, tasks_max=400, every=20, bounds=BOUNDS):
    """Return the verdict of a rollout looked at after every `every` tasks of the candidate, and
    how many tasks of the candidate it took."""
    while len(load.arms.candidate) < tasks_max:
        if not load.step() or len(load.arms.candidate) % every:
            continue
        verdict = judge(load.arms, bounds, is_over=False)
        if verdict.kind != "continue":
            return verdict.kind, len(load.arms.candidate)
    return judge(load.arms, bounds, is_over=True).kind, tasks_max
