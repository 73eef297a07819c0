"""Turns a Trigger's filters into one predicate over events (Knative Eventing, Trigger filters)."""

from collections.abc import Callable, Mapping

from eventing.event import Event
from eventing.local.manifests.eventing_kinds import Filter, TriggerSpec

Predicate = Callable[[Event], bool]


def predicate(spec: TriggerSpec) -> Predicate:
    """Return what a Trigger accepts: `filters` if there are any, else `filter`, else everything."""
    if spec.filters:
        return _every([_compiled(item) for item in spec.filters])
    if spec.filter and spec.filter.attributes:
        return _old(spec.filter.attributes)
    return lambda event: True


def _compiled(item: Filter) -> Predicate:
    if item.exact is not None:
        return _texts(item.exact, str.__eq__)
    if item.prefix is not None:
        return _texts(item.prefix, str.startswith)
    if item.suffix is not None:
        return _texts(item.suffix, str.endswith)
    if item.all is not None:
        return _every([_compiled(child) for child in item.all])
    if item.any is not None:
        return _some([_compiled(child) for child in item.any])
    return _negated(item.not_)


def _negated(item: Filter | None) -> Predicate:
    if item is None:
        raise AssertionError("a filter without a dialect passed validation")
    inner = _compiled(item)
    return lambda event: not inner(event)


def _texts(wanted: Mapping[str, str], holds: Callable[[str, str], bool]) -> Predicate:
    pairs = tuple(wanted.items())

    def accepts(event: Event) -> bool:
        return all((found := event.get(name)) is not None and holds(found, text)
                   for name, text in pairs)
    return accepts


def _old(wanted: Mapping[str, str]) -> Predicate:
    pairs = tuple(wanted.items())

    def accepts(event: Event) -> bool:
        return all((found := event.get(name)) is not None and text in ("", found)
                   for name, text in pairs)
    return accepts


def _every(parts: list[Predicate]) -> Predicate:
    return lambda event: all(part(event) for part in parts)


def _some(parts: list[Predicate]) -> Predicate:
    return lambda event: any(part(event) for part in parts)
