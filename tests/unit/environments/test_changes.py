"""What a plan changes, in numbers and in words."""

import json

import pytest

from eventing.environments.changes import Changes, read_changes, read_drift, read_losses


def resource(address, *actions, mode="managed", **change):
    return {"address": address, "type": address.split(".")[0], "mode": mode,
            "change": {"actions": list(actions), **change}}


def plan(*resources, **more):
    return {"resource_changes": list(resources), **more}


def test_a_replaced_resource_is_added_and_destroyed():
    planned = plan(resource("aws_vpc.a", "create"), resource("aws_vpc.b", "update"),
                   resource("aws_vpc.c", "delete", "create"), resource("aws_vpc.d", "no-op"))

    assert read_changes(planned) == Changes(added=2, changed=1, destroyed=1)


def test_reading_data_is_no_change():
    assert not read_changes(plan(resource("aws_region.x", "read", mode="data")))


def test_outputs_alone_are_a_change_that_is_told_as_such():
    planned = plan(output_changes={"url": {"actions": ["update"]}, "name": {"actions": ["no-op"]}})

    assert read_changes(planned).told(done=True) == "outputs only"


@pytest.mark.parametrize(("changes", "done", "told"), [
    (Changes(), True, "no changes"),
    (Changes(3, 1, 0), True, "3 added, 1 changed, 0 destroyed"),
    (Changes(0, 0, 2), False, "0 to add, 0 to change, 2 to destroy"),
], ids=["nothing", "done", "planned"])
def test_numbers_in_words(changes, done, told):
    assert changes.told(done=done) == told


def test_changes_add_up():
    assert Changes(1, 2, 3, 1) + Changes(1, 1, 1) == Changes(2, 3, 4, 1)


@pytest.mark.parametrize("actions", [("delete",), ("delete", "create"), ("create", "delete")])
def test_what_holds_data_is_named_before_it_goes(actions):
    planned = plan(resource("aws_s3_bucket.archive", *actions), resource("aws_route.r", *actions),
                   resource("aws_kms_key.k", "update"))

    assert read_losses(planned) == ["aws_s3_bucket.archive"]


@pytest.mark.parametrize(("kind", "actions", "is_lost"), [
    ("Broker", ("delete",), True), ("Namespace", ("delete", "create"), True),
    ("Trigger", ("delete", "create"), True), ("Trigger", ("delete",), False),
    ("Service", ("delete", "create"), False), ("Broker", ("update",), False)])
def test_events_that_wait_are_named_before_they_go(kind, actions, is_lost):
    address = 'kustomization_resource.p1["one"]'
    planned = plan(resource(address, *actions, before={"manifest": json.dumps({"kind": kind})}))

    assert read_losses(planned) == ([address] if is_lost else [])


def test_drift_names_attributes_and_never_values():
    changed = resource("aws_s3_bucket.b", "update", before={"acl": "private", "tags": {"a": "1"}},
                       after={"acl": "geheim", "tags": {"a": "1"}})

    found = read_drift(plan(changed, resource_drift=[changed]))

    assert found == ["aws_s3_bucket.b (acl)"]


@pytest.mark.parametrize(("before", "after", "told"), [
    (None, {"a": 1}, "(missing)"), ({"a": 1}, None, "(not in the configuration)"),
], ids=["gone", "extra"])
def test_drift_says_what_is_missing_or_too_much(before, after, told):
    changed = resource("aws_vpc.v", "create", before=before, after=after)

    assert read_drift(plan(changed, resource_drift=[changed])) == [f"aws_vpc.v {told}"]


def test_drift_tells_a_change_of_the_configuration_apart():
    changed = resource("aws_vpc.v", "update", before={"a": 1, "b": 1}, after={"a": 2, "b": None},
                       after_unknown={"b": True})

    assert read_drift(plan(changed)) == ["aws_vpc.v (a) [not applied yet]"]
