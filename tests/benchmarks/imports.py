"""What the imports of the heaviest function take, beside those of a bare one."""

import asyncio

from eventing.images.budget import MODULES_RATIO_MAX
from eventing.images.imports import costs_of
from tests.benchmarks.figures import Figure

ROUNDS = 5


async def imports(_folder):
    """Return the ratios of time and of modules; the budget of modules is held by a test."""
    bare, costs = await asyncio.to_thread(costs_of, None, ROUNDS)
    slowest = max(costs, key=lambda cost: cost.time_ms)
    largest = max(costs, key=lambda cost: len(cost.modules))
    return [
        Figure("imports of the slowest function ÷ bare function", slowest.time_ms / bare.time_ms,
               "ratio", 2.5),
        Figure("modules of the largest function ÷ bare function",
               len(largest.modules) / len(bare.modules), "ratio", MODULES_RATIO_MAX),
    ]
