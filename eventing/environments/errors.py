"""What to do about errors of Terraform and AWS; the first row that fits answers."""

import re

from eventing.environments.errors_kubernetes import HINTS as KUBERNETES
from eventing.environments.hint import Hint, first_answer

PROGRAMS = (
    Hint(r"Unsupported Terraform Core version", "install Terraform 1.11 or later"),
    Hint(r"(Failed to query available provider packages|Failed to install provider|"
         r"Inconsistent dependency lock file)",
         "a provider cannot be fetched: look at the network, or at the mirror that "
         "TF_CLI_CONFIG_FILE or TOLLGATE_TERRAFORM_PLUGINS names"),
)

STATE = (
    Hint(r"Error acquiring the state lock.*?Who:\s+(?P<who>\S+)",
         r"somebody else (\g<who>) is changing this environment: wait until they are done. If that "
         r"run is dead for certain, terraform force-unlock takes the lock's ID"),
    Hint(r"Error acquiring the state lock",
         "somebody else is changing this environment: wait until they are done. If that run is "
         "dead for certain, terraform force-unlock takes the lock's ID"),
    Hint(r"Backend configuration changed|Backend initialization required|Backend type changed",
         "the state was elsewhere before: move it with terraform init -migrate-state in the "
         "stack's folder, or set TOLLGATE_STATE_BUCKET as it was"),
    Hint(r"NoSuchBucket|S3 bucket \"(?P<bucket>[^\"]+)\" does not exist",
         "the bucket that keeps the state does not exist: make it with make state bucket=NAME, "
         "and name it in backend.tf or TOLLGATE_STATE_BUCKET"),
    Hint(r"Saved plan is stale",
         "the environment changed after it was planned: run the same command again"),
)

QUOTAS = (
    Hint(r"VcpuLimitExceeded|more vCPU capacity than your current vCPU limit",
         "the account's vCPU quota is used up: ask for more in Service Quotas (EC2, Running "
         "On-Demand instances), or set fewer or smaller nodes"),
    Hint(r"AddressLimitExceeded",
         "the account has no Elastic IP left (5 by default): ask for more in Service Quotas (EC2), "
         "or set network.nat_gateways to 1"),
    Hint(r"VpcLimitExceeded",
         "the region has no VPC left (5 by default): ask for more in Service Quotas (VPC), or "
         "destroy an environment that nobody uses"),
    Hint(r"NatGatewayLimitExceeded",
         "the zone has no NAT gateway left: ask for more in Service Quotas (VPC), or set "
         "network.nat_gateways to 1"),
    Hint(r"TooManyBuckets",
         "the account has no bucket left: ask for more in Service Quotas (S3)"),
    Hint(r"InsufficientInstanceCapacity|UnfulfillableCapacity",
         "AWS has no such instance free in a zone now: name more instance types in cluster.nodes, "
         "or try again later"),
    Hint(r"(?P<code>\w*LimitExceeded\w*|\w*QuotaExceeded\w*|ServiceQuotaExceededException)",
         r"a quota of the account is used up (\g<code>): ask for more in Service Quotas, or remove "
         "what nobody uses"),
)

ACCESS = (
    Hint(r"No valid credential sources found|failed to refresh cached credentials",
         "there are no AWS credentials: aws sso login, AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
         "AWS_SECRET_ACCESS_KEY"),
    Hint(r"ExpiredToken|security token included in the request is expired",
         "the AWS credentials have expired: log in again (aws sso login)"),
    Hint(r"InvalidClientTokenId|SignatureDoesNotMatch|UnrecognizedClientException",
         "AWS does not know these credentials: look at AWS_PROFILE and AWS_ACCESS_KEY_ID"),
    Hint(r"(AccessDenied\w*|UnauthorizedOperation|not authorized to perform:? (?P<action>\S+))",
         "the AWS identity lacks a right: compare aws sts get-caller-identity with the role that "
         "manages environments"),
    Hint(r"operation error \S+: \w+,.*?(connection refused|no such host|i/o timeout)",
         "an address does not answer: look at the network, the region's name and AWS_ENDPOINT_URL"),
)

CONFIGURATION = (
    Hint(r"Invalid value for variable.*?\"?var\.(?P<name>\w+)",
         r"the variable \g<name> has a value that cannot be: the lines above say which ones can"),
    Hint(r"(Unsuitable value for|The given value is not suitable for) var\.(?P<name>\w+)",
         r"the variable \g<name> has a value of the wrong type: variables.tf says which one"),
    Hint(r"Invalid value for variable", "a variable has a value that cannot be: see above"),
    Hint(r"Value for undeclared variable.*?named \"(?P<name>[^\"]+)\"",
         r"there is no variable \g<name>: variables.tf of the stack lists them"),
    Hint(r"(BucketAlreadyExists|BucketAlreadyOwnedByYou|AlreadyExists\w*|ResourceInUseException)",
         "something of this name exists already, outside this state: choose another name "
         "(TF_VAR_name), or terraform import it"),
    Hint(r"BucketNotEmpty|RepositoryNotEmptyException",
         "what is to be destroyed still holds data: empty it, or set protected = false and apply "
         "first"),
    Hint(r"DependencyViolation",
         "something made outside Terraform is still in the network (often a load balancer of a "
         "Kubernetes Service): delete it, then run again"),
)

HINTS = (*PROGRAMS, *STATE, *QUOTAS, *ACCESS, *KUBERNETES, *CONFIGURATION)


def advice(text: str) -> str | None:
    """Return what to do about an error's text, None when no row knows it."""
    return first_answer(HINTS, _unwrapped(text))


def summary(text: str) -> str:
    """Return an error's text in one line: the heading of its first error."""
    paragraphs = [_unwrapped(part) for part in re.split(r"\n[│╷╵ ]*\n", text)]
    heads = [part for part in paragraphs if part.startswith("Error: ")]
    said = heads or [part for part in reversed(paragraphs) if part] or ["Terraform said nothing"]
    return said[0].removeprefix("Error: ").rstrip(".")


def _unwrapped(text: str) -> str:
    """Return the text without colours and frames; Terraform breaks lines where it likes."""
    return " ".join(re.sub(r"\x1b\[[0-9;]*m|[│╷╵]", "", text).split())
