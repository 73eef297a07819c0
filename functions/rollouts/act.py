"""Makes of a verdict what is patched, and of a phase its event, without I/O."""

from eventing.event import Event
from eventing.types_rollout import OF_PHASE
from functions.rollouts.judge import Arms, figures, judge
from shared.clock import rfc3339
from shared.ids import derived
from shared.rollouts import moves
from shared.rollouts.moves import Patch
from shared.rollouts.plan import Figures, Rollout
from shared.rollouts.traffic import Service


def judged(rollout: Rollout, arms: Arms, now: float) -> Rollout:
    """Return the rollout with what the samples say now."""
    is_over = rollout.ends_at is not None and now >= rollout.ends_at
    verdict = judge(arms, rollout.bounds, is_over=is_over)
    return rollout.but(
        verdict=verdict.kind, reason=verdict.reason,
        figures=Figures(at=round(now, 3), stable=figures(arms.stable),
                        candidate=figures(arms.candidate)))


def patch_of(service: Service, before: Rollout, after: Rollout, *,
             is_round: bool) -> Patch | None:
    """Return what a verdict changes: traffic, or the annotation, or nothing.

    Between rounds only a new verdict is written down: each write wakes Knative's controllers.
    """
    bounds = after.bounds
    if after.verdict == "fail" or (
            after.verdict == "insufficient" and bounds.if_insufficient == "abort"):
        return moves.aborted(service, after, f"{after.verdict}: {after.reason}")
    if after.verdict == "pass" and bounds.auto_promote:
        return moves.promoted(service, after, f"pass: {after.reason}")
    if is_round or after.verdict != before.verdict:
        return moves.written(service, after)
    return None


def announcement(service: str, namespace: str, rollout: Rollout) -> Event | None:
    """Return the event of the rollout's phase, unless it is told; the same phase, the same id."""
    payload = OF_PHASE.get(rollout.phase)
    if payload is None or rollout.announced is rollout.phase:
        return None
    return Event.of(
        payload.of(rollout, service=service, namespace=namespace), type=payload.TYPE,
        id=derived(namespace, service, rollout.id, rollout.phase), source="/rollouts",
        subject=f"{namespace}/{service}", time=rfc3339(rollout.created_at), partitionkey=service)
