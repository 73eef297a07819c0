"""Checks of security, and of the limits on money."""

import re

import yaml

from eventing.policies.objects import BROKER
from eventing.readiness.finding import Area, Check, Verdict, shown
from eventing.readiness.subject import Subject

CONFINED = frozenset({
    "containers-are-confined", "the-host-is-left-alone", "only-the-gateway-is-public",
    "the-apiserver-is-for-who-asks", "secrets-are-not-written-down", "image-names-a-version"})
NETWORK = frozenset({"shared-networks-are-closed", "metadata-is-out-of-reach"})
BUDGETS = re.compile(r'budgets_file"?\s*(?:\{[^}]*default)?\s*=\s*"([^"]+)"', re.DOTALL)
WRITTEN_ONCE = re.compile(r"\w+_wo\b")


def rules_hold(subject: Subject) -> Verdict:
    """No rule on containers, secrets, images or doors is violated."""
    return _without(CONFINED, subject, "correct what `python -m eventing.policies` names")


def network_closed(subject: Subject) -> Verdict:
    """Nothing talks to anybody it need not: default deny, and no way to the machine's metadata."""
    policies = [d["metadata"]["name"]
                for d in subject.objects.of("networking.k8s.io/v1 NetworkPolicy")]
    found = _without(NETWORK, subject, "add knative/components/network-policies")
    if not found.holds or policies:
        return found
    return Verdict(False, "no NetworkPolicy", found.todo)


def senders_known(subject: Subject) -> Verdict:
    """Only our functions may send to the Broker, and only by a token of theirs."""
    names = [d["metadata"]["name"]
             for d in subject.objects.of("eventing.knative.dev/v1alpha1 EventPolicy")]
    brokers = sum(1 for _ in subject.objects.of(BROKER))
    return Verdict(bool(names) and brokers > 0,
                   f"EventPolicy {', '.join(names)}" if names else "no EventPolicy",
                   "add knative/components/event-policies")


def secrets_outside_state(subject: Subject) -> Verdict:
    """Secrets are written to the platform and never read back into Terraform's state."""
    module = subject.root / "terraform" / "modules" / "secrets" / "main.tf"
    is_used = "secrets" in subject.stack("platform") or "platform\"" in subject.stack("platform")
    found = WRITTEN_ONCE.search(module.read_text()) if module.exists() else None
    return Verdict(bool(found and is_used), f"terraform/modules/secrets: {found[0]}"
                   if found else "no write-only argument in terraform/modules/secrets",
                   "use write-only arguments for values, and take them from the platform")


def state_locked(subject: Subject) -> Verdict:
    """Every stack keeps its state far away, encrypted, with a lock."""
    stacks = sorted(p.name for p in subject.terraform.iterdir() if p.is_dir())
    open_ones = [stack for stack in stacks
                 if not all(word in subject.stack(stack)
                            for word in ('backend "s3"', "use_lockfile = true", "encrypt"))]
    return shown((f"{stack}/backend.tf" for stack in open_ones),
                 ", ".join(f"{stack}/backend.tf: S3 with use_lockfile" for stack in stacks),
                 "keep the state on S3 with encrypt and use_lockfile", of="no lock in ")


def budgets_are_code(subject: Subject) -> Verdict:
    """The environment applies a file of budgets, and limits are in it."""
    name = subject.values("apps").get("budgets_file") or _default_of(subject)
    file = subject.terraform / "apps" / name if name else None
    if not file or not file.exists():
        return Verdict(False, f"budgets_file is {name!r}: no such file" if name
                       else "the stack apps sets no budgets_file",
                       "write a file as docs/budgets.md says, and name it in budgets_file")
    tenants = (yaml.safe_load(file.read_text()) or {}).get("tenants") or {}
    free = [name for name, said in tenants.items() if not (said or {}).get("budgets")]
    return shown((f"tenant {name} has no budget" for name in free),
                 f"{file.relative_to(subject.root)}: budgets of {', '.join(tenants)}"
                 if tenants else "", "give every tenant a budget")


def spending_is_watched(subject: Subject) -> Verdict:
    """Somebody is told when budgets deny, when costs do not arrive, when the ledger is away."""
    wanted = {"LedgerDown", "BudgetDenials", "CostsBehind"}
    there = {rule["alert"] for rule in subject.alerts()}
    return shown((f"no alert {name}" for name in sorted(wanted - there)),
                 f"alerts {', '.join(sorted(wanted & there))}",
                 "add knative/components/observability")


def ledger_never_sleeps(subject: Subject) -> Verdict:
    """No call waits for a cold ledger, and none goes round it."""
    scale = subject.min_scale("ledger")
    asking = [name for name, s in subject.services.items() if "LEDGER_URL" in str(s)]
    return Verdict(scale > 0 and bool(asking),
                   f"Service ledger: min-scale {scale}; LEDGER_URL in {', '.join(asking)}",
                   "set min-scale of the ledger to 1 or more")


def _default_of(subject: Subject) -> str:
    found = BUDGETS.search(subject.stack("apps"))
    return found[1] if found else ""


def _without(rules: frozenset[str], subject: Subject, todo: str) -> Verdict:
    count = len(subject.objects.documents)
    return shown(map(str, subject.violations(rules)),
                 f"{count} objects keep {', '.join(sorted(rules))}", todo)


CHECKS = (
    Check("confinement", Area.SECURITY, rules_hold),
    Check("network", Area.SECURITY, network_closed),
    Check("senders", Area.SECURITY, senders_known),
    Check("secrets", Area.SECURITY, secrets_outside_state),
    Check("state-locked", Area.SECURITY, state_locked),
    Check("budgets", Area.COST_CONTROLS, budgets_are_code),
    Check("spending-watched", Area.COST_CONTROLS, spending_is_watched),
    Check("ledger-awake", Area.COST_CONTROLS, ledger_never_sleeps),
)
