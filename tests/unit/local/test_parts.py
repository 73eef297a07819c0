"""Addresses, disturbance, journal, page, log entries: small parts without a process."""

import socket

import pytest

from eventing.event import Event
from eventing.local.addresses import Addresses, PortTaken, listen
from eventing.local.disturbance import Disturbance, Drop
from eventing.local.journal import RECORDS_MAX, Journal
from eventing.local.log import Entry
from eventing.local.owner import FolderInUse, sole_owner
from eventing.local.page import page
from eventing.local.secrets import load_or_make

LOCAL = Addresses({"ledger.tollgate.svc.cluster.local": "http://127.0.0.1:9"})


@pytest.mark.parametrize(("text", "rewritten"), [
    ("http://ledger.tollgate.svc.cluster.local", "http://127.0.0.1:9"),
    ("http://ledger.tollgate.svc.cluster.local:80/v1", "http://127.0.0.1:9/v1"),
    ("a=http://ledger.tollgate.svc.cluster.local/x,b", "a=http://127.0.0.1:9/x,b"),
    ("http://ledger.tollgate.svc.cluster.local:8080",
     "http://ledger.tollgate.svc.cluster.local:8080"),
    ("http://costs.tollgate.svc.cluster.local", "http://costs.tollgate.svc.cluster.local"),
    ("http://ledger.tollgate.svc.cluster.local.evil",
     "http://ledger.tollgate.svc.cluster.local.evil"),
])
def test_cluster_address_becomes_local(text, rewritten):
    assert LOCAL.rewritten(text) == rewritten


def test_taken_port_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port}"):
            listen(port)


def test_nth_event_of_a_type_is_lost_once():
    disturbance = Disturbance(drop=Drop("a", nth=2))

    lost = [disturbance.drops("t", kind) for kind in "abaaa"]

    assert lost == [False, False, True, False, False]


def test_drop_for_one_trigger_spares_the_others():
    disturbance = Disturbance(drop=Drop("a", trigger="one"))

    assert not disturbance.drops("other", "a")
    assert disturbance.drops("one", "a")


def test_shuffled_delays_repeat_with_their_seed():
    first, second = (Disturbance(shuffle_s=1.0, seed=7) for _ in range(2))

    assert [first.delay_s() for _ in range(5)] == [second.delay_s() for _ in range(5)]


def test_journal_forgets_the_oldest_and_keeps_counting():
    journal = Journal()
    for _ in range(RECORDS_MAX + 5):
        journal.note("x")

    assert journal.after(0)[0]["n"] == 6
    assert len(journal.after(RECORDS_MAX)) == 5


def test_journal_keeps_no_content():
    journal = Journal()
    journal.event(Event("1", "/s", "t", b"secret", extensions={"grant": "g", "taskid": "k"}))

    assert journal.after(0)[0].keys() == {"n", "kind", "time", "type", "source", "id", "task",
                                          "tenant"}


def test_page_shows_what_happens_and_escapes_it():
    journal = Journal()
    journal.event(Event("1", "/s", "<script>", extensions={"taskid": "t1"}))
    status = {"addresses": {"costs": "http://127.0.0.1:1"}, "triggers": [],
              "functions": [{"name": "echo", "replicas": 1, "ready": 1, "in_flight": 0,
                             "waiting": 0, "woken": 1, "slept": 0, "processes_max": 1}]}

    html = page(status, journal.after(0))

    assert html.count("<script>") == 1, "the page's own"
    assert "&lt;script&gt;" in html
    assert 'href="http://127.0.0.1:1/"' in html
    assert 'href="http://127.0.0.1:1/tasks/t1"' in html
    assert "<caption>Functions</caption>" in html


def test_offset_of_an_entry_stays_a_safe_integer():
    in_2038 = Entry("2145916800000-4095", None, ())

    assert in_2038.offset < 2**53


def test_secrets_are_made_once_and_private(tmp_path):
    first = load_or_make(tmp_path)

    assert load_or_make(tmp_path) == first
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "api-key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "api-key").read_text() not in (tmp_path / "secrets.json").read_text()


def test_folder_has_one_owner_at_a_time(tmp_path):
    with sole_owner(tmp_path), pytest.raises(FolderInUse), sole_owner(tmp_path):
        pass
    with sole_owner(tmp_path):
        pass
