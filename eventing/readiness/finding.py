"""What a check found: whether it holds, the evidence, and what to do."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

S = TypeVar("S")


class Area(StrEnum):
    """What a production service is asked for."""

    OBSERVABILITY = "observability"
    SCALING = "scaling"
    FAULT_TOLERANCE = "fault tolerance"
    SECURITY = "security"
    MONITORING = "monitoring"
    COST_CONTROLS = "cost controls"
    DEPLOYMENT = "independent deployment"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A check's answer. Without evidence, nothing holds."""

    holds: bool
    evidence: str
    """The file, field or answer that shows it; empty where nothing was found."""

    todo: str = ""


@dataclass(frozen=True, slots=True)
class Check(Generic[S]):
    """One question, and how it is answered from a subject."""

    name: str
    area: Area
    ask: Callable[[S], Verdict]


@dataclass(frozen=True, slots=True)
class Finding:
    """One check with its answer."""

    name: str
    area: Area
    verdict: Verdict

    @property
    def holds(self) -> bool:
        """Tell whether it is shown to hold."""
        return self.verdict.holds and bool(self.verdict.evidence)

    def document(self) -> dict[str, Any]:
        """Return what programs read."""
        return {"area": self.area, "holds": self.holds, "evidence": self.verdict.evidence,
                "what_to_do": "" if self.holds else self.verdict.todo}


def shown(faults: Iterable[str], evidence: str, todo: str, *, of: str = "") -> Verdict:
    """Return that it holds unless there are faults; the first few are the evidence then."""
    found = list(faults)
    if not found:
        return Verdict(bool(evidence), evidence, todo)
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return Verdict(False, f"{of}{'; '.join(found[:3])}{more}", todo)
