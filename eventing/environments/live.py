"""Compares what runs with what was applied.

`terraform plan` cannot: its provider compares its own annotation only, so a field changed by hand
is no difference to it. Fields that nobody applied, such as a rollout's traffic, are none here.
"""

from collections.abc import Iterator, Mapping, Sequence

from eventing.environments import kubectl
from eventing.environments.manifests import Manifest

PLAIN = {"KUBECTL_EXTERNAL_DIFF": "diff -U0 -N"}
DIFFERENT = 1
"""kubectl's exit code for it; a higher one is an error."""
LINES_MAX = 6
"""Of one object: enough to recognise what happened; `kubectl diff` shows all."""


def drift(manifests: Sequence[Manifest], env: Mapping[str, str]) -> list[str]:
    """Return which of the applied objects others have changed, one line each.

    Nothing is changed. What a cluster no longer has is left to `terraform plan`, which sees it.
    """
    if not manifests:
        return []
    try:
        answer = kubectl.run(("diff", "-f", "-"), {**env, **PLAIN},
                             kubectl.listed(manifests))
    except kubectl.Unanswered as error:
        return [str(error)]
    if answer.code > DIFFERENT:
        return [f"cannot compare: {answer.errors}"]
    return list(of_diff(answer.out))


def of_diff(text: str) -> Iterator[str]:
    """Return a line for each object in the output of `kubectl diff`."""
    lines: dict[str, list[str]] = {}
    changed: list[str] = []
    for line in text.splitlines():
        if line.startswith("+++ "):
            changed = lines.setdefault(line.split()[1].rpartition("/")[2], [])
        elif line[:1] in ("+", "-") and not line.startswith("--- "):
            changed.append(line)
    for name, all_of_it in lines.items():
        meant = [x for x in all_of_it if x[1:].split(":")[0].strip() != "generation"]
        if meant:
            yield f"{name}: {_short(meant)}"


def _short(changed: list[str]) -> str:
    shown = ", ".join(f"{x[0]} {x[1:].strip()}" for x in changed[:LINES_MAX])
    return shown + (f" and {len(changed) - LINES_MAX} more lines" if changed[LINES_MAX:] else "")
