"""What the start of a function may cost: counts of modules, which are the same on every machine."""

from collections.abc import Iterable, Iterator

MODULES_RATIO_MAX = 2.0
"""Modules of a function ÷ those of a bare functions-framework function. Each costs some 0.5 ms of
every cold start; the largest function takes 1.9 times a bare one's."""

HEAVY: dict[str, frozenset[str]] = {
    "aiohttp": frozenset(),  # the embedded runtime's
    "boto3": frozenset(),
    "cryptography": frozenset(),  # jwt takes it where it is; grants are signed with an HMAC
    "eventing.cli": frozenset(),
    "eventing.local.runtime": frozenset(),
    "genai_prices": frozenset(),  # 90 ms: the ledger loads it when a price is first asked for
    "grpc": frozenset(),
    "gunicorn": frozenset(),  # the framework requires it; uvicorn serves
    "httpcore2": frozenset({"researcher", "rollouts"}),  # who speaks TLS; others have a transport
    "jsonschema": frozenset(),  # loaded when the first arguments are checked
    "mcp": frozenset(),
    "opentelemetry.exporter": frozenset(),  # loaded where a collector is set
    "opentelemetry.sdk.metrics": frozenset(),
    "prometheus_client": frozenset({"costs"}),  # others count when first asked for metrics
    "psutil": frozenset(),
    "requests": frozenset(),
    "rich": frozenset(),
    "trio": frozenset(),
    "typer": frozenset(),
    "yaml": frozenset({"ledger", "researcher"}),  # who reads a definition or budgets
}
"""Heavy module → the functions that may load it while they start."""


def forbidden(function: str, modules: Iterable[str]) -> Iterator[str]:
    """Yield the heavy modules among those loaded that the function may not load."""
    loaded = frozenset(modules)
    for name, may in HEAVY.items():
        if name in loaded and function not in may:
            yield name


def too_many(modules: int, bare: int) -> bool:
    """Tell whether a function loads more modules than it may, beside a bare one's count."""
    return modules > bare * MODULES_RATIO_MAX
