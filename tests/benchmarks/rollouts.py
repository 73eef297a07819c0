"""Verdicts on simulated revisions with heavy-tailed costs: how many are wrong, how late others."""

from collections import Counter

from tests.benchmarks.figures import Figure, percentile
from tests.unit.rollouts.simulated import Load, ends

RUNS = 500
FEWER = 100


async def rollouts(_folder):
    """Return false aborts of identical revisions, and what it takes to find a dearer one."""
    same = Counter(ends(Load(seed))[0] for seed in range(RUNS))
    even = [ends(Load(seed, share=0.5))[0] for seed in range(RUNS)]
    dearer = [ends(Load(seed, dearer=1.5), tasks_max=500) for seed in range(FEWER)]
    steady = [ends(Load(seed, dearer=1.5, spread=0.5), tasks_max=500) for seed in range(FEWER)]
    return [
        Figure("identical revisions aborted, 10 % of traffic", _share(same["fail"], RUNS), "%", 5),
        Figure("identical revisions aborted, 50 % of traffic",
               _share(even.count("fail"), RUNS), "%", 5),
        Figure("identical revisions passed, 10 % of traffic", _share(same["pass"], RUNS), "%", 85,
               at_least=True),
        *_found("1.5 × dearer, even costs", steady, 80),
        *_found("1.5 × dearer, heavy-tailed costs", dearer, 300)]


def _found(name, runs, tasks_max):
    tasks = [number for verdict, number in runs if verdict == "fail"]
    return [Figure(f"{name}: found", _share(len(tasks), len(runs)), "%", 90, at_least=True),
            Figure(f"{name}: candidate's tasks (p50)", percentile(tasks, 50), "tasks", tasks_max)]


def _share(number, of):
    return 100 * number / of
