"""Looks whether the cluster that was given can serve the tests, before any of them runs."""

import os
import socket
from urllib.parse import urlsplit

import httpx2

from tests.kafka import kubectl
from tests.kafka.given import CLASS, PODS, URL

HOST = "TOLLGATE_TEST_HOST"
"""This machine's address as the cluster's pods see it."""

ANSWER_S = 10.0
HOW = f"""
make test-kafka needs a cluster that has Knative Eventing with its broker for Apache Kafka:
  kubectl's configuration (KUBECONFIG) for it; the tests make a namespace and remove it
  {URL}  the ingress of its Brokers, as this machine reaches it: after
      kubectl -n knative-eventing port-forward service/kafka-broker-ingress 8080:80
      it is http://127.0.0.1:8080
  {HOST}  this machine's address as the cluster's pods see it (found if it is a node)
  {CLASS}  a class that behaves as Kafka's under another name (the in-memory one
      has make test-cluster)
  TOLLGATE_BROKER_DISPOSABLE=true  also kill the class's receiver and dispatcher while tasks run"""


class NotReady(Exception):
    """Something is missing; says what and how to get it."""


def look():
    """Return the address for subscribers to listen on.

    Raises:
        NotReady: the tests cannot run.
    """
    url = _address()
    try:
        kubectl.ask("get", "--raw", "/readyz", "--request-timeout=10s")
        _class_is_there()
        nodes = kubectl.ask("get", "nodes", "-o", "jsonpath={range .items[*].status.addresses[?("
                            '@.type=="InternalIP")]}{.address}{" "}{end}').split()
    except kubectl.Unreachable as error:
        raise NotReady(f"the cluster cannot be asked: {error}") from error
    _answers(url)
    return _host(os.environ.get(HOST), nodes)


def _address():
    url = os.environ.get(URL, "")
    if not url:
        raise NotReady(f"{URL} is not set")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
        raise NotReady(f"{URL}={url} is not an address without a path, as http://127.0.0.1:8080: "
                       "the tests add namespace and Broker")
    return url


def _class_is_there():
    for part, (namespace, selector) in PODS.get(os.environ.get(CLASS, "Kafka"), {}).items():
        if not kubectl.ask("-n", namespace, "get", "pods", "-l", selector, "-o", "name").strip():
            raise NotReady(f"no {part} of the Kafka broker runs in namespace {namespace} "
                           f"(no pod with {selector}): install Knative's broker for Apache Kafka")


def _answers(url):
    try:
        httpx2.get(url, timeout=ANSWER_S, trust_env=False)
    except httpx2.HTTPError as error:
        raise NotReady(f"{URL}={url} does not answer: {type(error).__name__}: {error}") from error


def _host(asked, nodes):
    for host in [asked] if asked else nodes:
        if _is_ours(host):
            return host
    if asked:
        raise NotReady(f"{HOST}={asked} is no address of this machine: pods could not reach "
                       "the tests' subscribers")
    raise NotReady(f"{HOST} is not set, and this machine is no node of the cluster "
                   f"({', '.join(nodes)})")


def _is_ours(host):
    try:
        with socket.create_server((host, 0)):
            return True
    except OSError:
        return False
