"""Checks of observability, monitoring, and delivery function by function."""

from eventing.images.closure import functions
from eventing.pipelines.workflows import workflows
from eventing.policies.objects import annotations_of
from eventing.readiness.finding import Area, Check, Verdict, shown
from eventing.readiness.subject import Subject

SIGNALS = {"errors": "FunctionErrors", "saturation": "FunctionQueues",
           "crashes": "FunctionRestarts", "lost events": "DeadLetters"}
"""What users feel, and the alert that tells."""


def traces_leave(subject: Subject) -> Verdict:
    """Spans go to a collector."""
    settings = subject.objects.settings
    exporter = settings.get("OTEL_TRACES_EXPORTER", "none")
    endpoint = settings.get("OTEL_EXPORTER_OTLP_ENDPOINT", "")
    return Verdict(exporter == "otlp" and bool(endpoint),
                   f"ConfigMap tollgate: OTEL_TRACES_EXPORTER {exporter}, endpoint "
                   f"{endpoint or 'missing'}", "add knative/components/tracing")


def metrics_read(subject: Subject) -> Verdict:
    """Somebody reads the functions' metrics."""
    monitors = [d["metadata"]["name"]
                for d in subject.objects.of("monitoring.coreos.com/v1 PodMonitor")]
    return Verdict(bool(monitors), f"PodMonitor {', '.join(monitors)}" if monitors
                   else "no PodMonitor", "add knative/components/observability")


def logs_leave_out_nothing(subject: Subject) -> Verdict:
    """Logs are kept at a level that shows what happened."""
    level = subject.objects.settings.get("LOG_LEVEL", "INFO")
    return Verdict(level in ("INFO", "DEBUG"), f"ConfigMap tollgate: LOG_LEVEL {level}",
                   "set LOG_LEVEL to INFO")


def alerts_exist(subject: Subject) -> Verdict:
    """What users feel raises an alert."""
    there = {rule["alert"] for rule in subject.alerts()}
    return shown((f"{what}: no alert {name}" for what, name in SIGNALS.items()
                  if name not in there),
                 ", ".join(f"{what}: {name}" for what, name in SIGNALS.items()),
                 "add knative/components/observability")


def alerts_have_runbooks(subject: Subject) -> Verdict:
    """Who is woken knows what to do."""
    alerts = subject.alerts()
    missing = [rule["alert"] for rule in alerts
               if not (subject.root / rule["annotations"].get("runbook_url", "-")).is_file()]
    return shown((f"{name} has no runbook" for name in missing),
                 f"{len(alerts)} alerts with runbooks" if alerts else "",
                 "write docs/runbooks/<alert>.md")


def severities_said(subject: Subject) -> Verdict:
    """Alerts say whether they wake somebody."""
    silent = [r["alert"] for r in subject.alerts()
              if r.get("labels", {}).get("severity") not in ("page", "ticket")]
    pages = sum(r.get("labels", {}).get("severity") == "page" for r in subject.alerts())
    return shown(silent, f"{pages} alerts page, {len(subject.alerts()) - pages} make tickets"
                 if subject.alerts() else "", "label each alert with severity page or ticket")


def delivered_alone(subject: Subject) -> Verdict:
    """Each function has a workflow of its own, which starts for what it imports."""
    stale = [file.name for file, text in workflows()
             if not file.is_file() or file.read_text() != text]
    return shown(stale, f"{len(functions())} workflows in .github/workflows equal the import "
                        "closures", "run make pipelines")


def images_apart(subject: Subject) -> Verdict:
    """Each function has an image of its own, with a version that does not move."""
    images = {name: s["spec"]["template"]["spec"]["containers"][0]["image"]
              for name, s in subject.services.items()}
    shared = [name for name, image in images.items() if name not in image]
    moving = [name for name, image in images.items()
              if ":" not in image.rpartition("/")[2] or image.endswith(":latest")]
    return shown((*shared, *moving), f"{len(images)} Services, {len(set(images.values()))} images",
                 "give each function its own image and tag")


def rolled_out_gradually(subject: Subject) -> Verdict:
    """A new revision gets traffic by its costs: the function that judges it is there."""
    service = subject.services.get("rollouts")
    scale = annotations_of(service).get("autoscaling.knative.dev/max-scale") if service else None
    return Verdict(service is not None, f"Service rollouts: max-scale {scale}" if service
                   else "no Service rollouts", "apply knative/base/rollouts")


def stacks_apart(subject: Subject) -> Verdict:
    """Functions are applied without touching the platform."""
    stacks = sorted(p.name for p in subject.terraform.iterdir() if p.is_dir())
    return Verdict("apps" in stacks and len(stacks) > 1,
                   f"stacks {', '.join(stacks)} with states of their own",
                   "keep platform, messaging and apps apart")


CHECKS = (
    Check("traces", Area.OBSERVABILITY, traces_leave),
    Check("metrics", Area.OBSERVABILITY, metrics_read),
    Check("logs", Area.OBSERVABILITY, logs_leave_out_nothing),
    Check("alerts", Area.MONITORING, alerts_exist),
    Check("runbooks", Area.MONITORING, alerts_have_runbooks),
    Check("severities", Area.MONITORING, severities_said),
    Check("own-workflow", Area.DEPLOYMENT, delivered_alone),
    Check("own-image", Area.DEPLOYMENT, images_apart),
    Check("gradual", Area.DEPLOYMENT, rolled_out_gradually),
    Check("own-state", Area.DEPLOYMENT, stacks_apart),
)
