"""Errors of Terraform and AWS, as they read, and what is said about them."""

import pytest

from eventing.environments.errors import advice, summary

CASES = {
    "lock": ("Error: Error acquiring the state lock\n\nError message: resource temporarily "
             "unavailable\nLock Info:\n  ID: 1\n  Path: x\n  Who:       ada@laptop\n  Version: 1",
             "somebody else (ada@laptop)"),
    "vcpus": ("Error: waiting for EKS Node Group create: AsgInstanceLaunchFailures: You have "
              "requested more vCPU capacity than your current vCPU limit of 16 allows",
              "ask for more in Service Quotas (EC2"),
    "vcpu-code": ("│ Error: creating EC2 Instance: VcpuLimitExceeded: no", "vCPU quota"),
    "addresses": ("Error: creating EC2 EIP: operation error EC2: AllocateAddress, https response "
                  "error StatusCode: 400, api error AddressLimitExceeded: The maximum number of "
                  "addresses has been reached.", "nat_gateways to 1"),
    "vpcs": ("Error: creating EC2 VPC: api error VpcLimitExceeded: The maximum", "no VPC left"),
    "other-quota": ("Error: creating KMS Key: LimitExceededException: too many",
                    "(LimitExceededException)"),
    "service-quota": ("Error: x: ServiceQuotaExceededException: repositories", "Service Quotas"),
    "capacity": ("Error: api error InsufficientInstanceCapacity: none", "more instance types"),
    "no-credentials": ("Error: No valid credential sources found\n\n  with provider", "sso login"),
    "expired": ("Error: ExpiredToken: The security token included in the request is expired",
                "expired"),
    "unknown-key": ("Error: api error InvalidClientTokenId: The security token", "AWS_PROFILE"),
    "denied": ("Error: api error UnauthorizedOperation: You are not authorized to perform this",
               "lacks a right"),
    "unreachable": ("Error: operation error STS: GetCallerIdentity, exceeded maximum number of "
                    "attempts, 9, https response error StatusCode: 0, RequestID: , request send "
                    'failed, Post "http://127.0.0.1:9/": dial tcp 127.0.0.1:9: connect: connection '
                    "refused", "AWS_ENDPOINT_URL"),
    "variable": ("Error: Invalid value for variable\n\n  on main.tf line 3:\n   3:   region = "
                 'var.region\n    │ var.region is "moon"\n\nSet region to an AWS region',
                 "the variable region"),
    "type": ("Error: Invalid value for input variable\n\n  on variables.tf line 22:\n\nUnsuitable "
             "value for var.addons set using the TF_VAR_addons environment variable: map of string "
             "required.", "the variable addons has a value of the wrong type"),
    "no-provider": ("Error: Failed to query available provider packages\n\nCould not: dial "
                    "tcp: lookup x: no such host", "a provider cannot be fetched"),
    "old": ("Error: Unsupported Terraform Core version\n\nThis", "install Terraform 1.11"),
    "taken": ("Error: creating S3 Bucket: BucketAlreadyExists", "TF_VAR_name"),
    "full": ("Error: deleting S3 Bucket (x): api error BucketNotEmpty: The bucket", "holds data"),
    "dependency": ("Error: deleting EC2 Subnet: api error DependencyViolation: has dependencies",
                   "load balancer"),
    "moved-state": ("Error: Backend configuration changed\n\nA change", "-migrate-state"),
    "no-state-bucket": ('Error: Failed to get existing workspaces: S3 bucket "b" does not exist.',
                        "make state bucket=NAME"),
    "stale": ("Error: Saved plan is stale\n\nThe given", "run the same command again"),
}


@pytest.mark.parametrize("case", CASES)
def test_error_says_what_to_do(case):
    text, todo = CASES[case]

    assert todo in advice(text)


def test_words_that_terraform_broke_over_lines_are_found():
    framed = "╷\n│ \x1b[31mError: \x1b[0mcreating: You have requested more vCPU\n│ capacity than " \
             "your current\n│ vCPU limit of 16\n╵"

    assert "vCPU quota" in advice(framed)


def test_unknown_error_has_no_advice():
    assert advice("Error: the moon is full") is None


def test_summary_is_the_first_error_in_one_line():
    text = "╷\n│ Error: creating EC2 VPC: api error\n│ VpcLimitExceeded: no\n│ \n│   with x\n╵"

    assert summary(text) == "creating EC2 VPC: api error VpcLimitExceeded: no"


@pytest.mark.parametrize(("text", "told"), [
    ("", "Terraform said nothing"), ("sh: killed\n\n", "sh: killed")], ids=["empty", "no-error"])
def test_summary_of_what_is_no_error(text, told):
    assert summary(text) == told
