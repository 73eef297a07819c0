"""Staging and prod: planned in full, what moto can make applied, their state in a bucket."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

ONLY_PLANNED = yaml.safe_load((Path(__file__).parent / "only_planned.yaml").read_text())
BUCKET = "tollgate-states"
ADDONS = '{"aws-ebs-csi-driver": null}'


@pytest.fixture(scope="module")
def kept(stand):
    """States in a bucket, as the project's own command makes it."""
    code, line, shown = stand.run("state", BUCKET)
    assert code == 0, shown
    assert line == f"{BUCKET}: ready; name it in backend.tf, or set TOLLGATE_STATE_BUCKET={BUCKET}"
    check_that_it_is_private(stand.client("s3"))
    assert "0 added, 0 changed, 0 destroyed" in stand.run("state", BUCKET)[2]
    # This AWS is reached without TLS, which the bucket rightly refuses.
    stand.client("s3").delete_bucket_policy(Bucket=BUCKET)
    stand.environ["TOLLGATE_STATE_BUCKET"] = BUCKET
    return stand


def check_that_it_is_private(s3):
    rule = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"][0]
    policy = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"][0]

    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    assert all(s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"].values())
    assert (policy["Effect"], policy["Condition"]) == (
        "Deny", {"Bool": {"aws:SecureTransport": "false"}})


@pytest.fixture(scope="module")
def plans(kept):
    return {environment: kept.run("plan", environment, "--only", "platform",
                                  TF_VAR_addons=ADDONS)
            for environment in ("dev", "staging", "prod")}


def types_in(plan):
    return set(re.findall(r"# \S*?(?:^|[. ])(\w+)\.\w+(?:\[\S+\])? will be created", plan))


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_environment_is_planned_with_its_state_in_the_bucket(plans, environment):
    code, line, shown = plans[environment]

    assert code == 0, shown
    assert re.fullmatch(rf"{environment}: (\d+) to add, 0 to change, 0 to destroy "
                        r"\(platform: \1 to add, 0 to change, 0 to destroy\)", line)


def test_what_is_only_planned_is_listed_with_its_reason(plans):
    in_prod, in_dev = (types_in(plans[environment][2]) for environment in ("prod", "dev"))

    applied_elsewhere = {"aws_flow_log", "aws_elasticache_subnet_group", "terraform_data"}
    assert in_prod - in_dev | {"aws_eks_addon"} == set(ONLY_PLANNED) | applied_elsewhere
    assert "aws_eks_addon" in in_dev
    assert all(reason["error"] for reason in ONLY_PLANNED.values())


def test_run_during_one_elsewhere_says_who_holds_the_state(kept):
    holder = {"ID": "1", "Operation": "OperationTypeApply", "Info": "", "Who": "ada@laptop",
              "Version": "1.11.4", "Created": "2026-01-01T00:00:00Z", "Path": "x"}
    s3 = kept.client("s3")
    s3.put_object(Bucket=BUCKET, Key="prod/platform.tfstate.tflock", Body=json.dumps(holder))

    code, line, _ = kept.run("apply", "prod", "--only", "platform")
    s3.delete_object(Bucket=BUCKET, Key="prod/platform.tfstate.tflock")

    assert code == 1
    assert "somebody else (ada@laptop) is changing this environment" in line


def test_missing_state_bucket_says_how_to_make_it(kept):
    shutil.rmtree(kept.root("prod") / ".terraform")

    code, line, _ = kept.run("plan", "prod", "--only", "platform",
                             TOLLGATE_STATE_BUCKET="tollgate-nowhere")

    assert code == 1
    assert "make state bucket=NAME" in line


def test_network_of_prod_is_applied_and_destroyed_with_its_flow_logs(kept):
    given = {"TF_VAR_name": "tollgate-net", "TF_VAR_flow_log_days": "90",
             "TF_VAR_zones": '["eu-central-1a", "eu-central-1b", "eu-central-1c"]',
             "TF_VAR_nat_gateways": "0", "TF_VAR_interface_endpoints": "[]"}

    def run(*arguments):
        return kept.terraform("modules/network", *arguments, "-no-color", **given)

    assert run("init").returncode == 0
    made = run("apply", "-auto-approve")
    assert made.returncode == 0, made.stderr
    assert len(kept.client("ec2").describe_flow_logs()["FlowLogs"]) == 1
    assert run("plan", "-detailed-exitcode").returncode == 0
    assert run("destroy", "-auto-approve").returncode == 0
    assert not kept.client("ec2").describe_flow_logs()["FlowLogs"]
