"""What the closed network of an overlay lets through."""

import ipaddress

import pytest

from tests.goldens import golden

METADATA = ipaddress.ip_address("169.254.169.254")
STORAGE = ipaddress.ip_address("52.219.1.1")


def reached(found, function, port):
    """Yield the address blocks that a function's pods may call at a port, as (network, except)."""
    for policy in (d["spec"] for d in found if d["kind"] == "NetworkPolicy"):
        if selects(policy["podSelector"], function):
            for rule in policy.get("egress", ()):
                if port in [p["port"] for p in rule.get("ports", ())]:
                    yield from (to["ipBlock"] for to in rule["to"] if "ipBlock" in to)


def selects(selector, function):
    label = "serving.knative.dev/service"
    chosen = selector.get("matchLabels", {}).get(label) == function
    return chosen or any(e["key"] == label and function in e.get("values", ())
                         for e in selector.get("matchExpressions", ()))


def allows(blocks, address):
    return any(address in ipaddress.ip_network(block["cidr"])
               and not any(address in ipaddress.ip_network(e) for e in block.get("except", ()))
               for block in blocks)


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_costs_reaches_its_archive_and_no_metadata(name):
    blocks = [*reached(golden(name), "costs", 443)]

    assert allows(blocks, STORAGE)
    assert not allows(blocks, METADATA)


@pytest.mark.parametrize("name", ["staging", "prod"])
@pytest.mark.parametrize("function", ["ledger", "gateway", "watchdog", "deadletters", "calculator"])
def test_who_has_no_business_outside_reaches_nothing(name, function):
    assert not [*reached(golden(name), function, 443)]
