"""Checks the objects of an environment against every rule."""

from collections.abc import Callable, Iterable, Iterator

from eventing.policies import messaging, settings, workloads
from eventing.policies.objects import Document, Found, Objects, Violation, title_of
from eventing.policies.schemas import schema_faults

Rule = Callable[[Objects], Found]


def fields_are_known(objects: Objects) -> Found:
    """Every field is one of its kind's: an API server drops the others in silence."""
    for document in objects.documents:
        for path, todo in schema_faults(document):
            yield document, ".".join(map(str, path)) or "document", todo


RULES: tuple[Rule, ...] = (
    fields_are_known, *workloads.RULES, *messaging.RULES, *settings.RULES)
"""Each is a sentence about all objects; its docstring says why."""


def check(documents: Iterable[Document]) -> list[Violation]:
    """Return every violation of every rule, in the order of the rules.

    Objects that break the schemas of their kinds are judged by nothing else: rules trust fields.
    """
    objects = Objects(tuple(documents))
    unknown = [*_violations(fields_are_known, objects)]
    return unknown or [v for rule in RULES[1:] for v in _violations(rule, objects)]


def _violations(rule: Rule, objects: Objects) -> Iterator[Violation]:
    name = getattr(rule, "__name__", "").replace("_", "-")
    for document, field, todo in rule(objects):
        yield Violation(name, title_of(document), field, todo)
