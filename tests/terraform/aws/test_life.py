"""The platform of `dev`, from nothing to nothing, with the real Terraform and AWS provider."""

import json
import re
from pathlib import Path

import pytest
import yaml

from tests.terraform.aws.stand import ROOT

NAME = "tollgate-dev"
GIVEN = {"TF_VAR_secret_versions": '{"api_keys": 1}',
         "TF_VAR_secret_values": '{"api-keys": "a-key-that-nobody-keeps"}'}
QUICKLY = {"TF_CLI_ARGS_plan": "-refresh=false -no-color"}
FUNCTIONS = {main.parent.name for main in (ROOT / "functions").rglob("main.py")}


@pytest.fixture(scope="module")
def applied(stand):
    """The environment; destroyed by the last test of this file."""
    code, line, shown = stand.run("apply", "dev", "--only", "platform")
    assert code == 0, shown
    stand.line = line
    return stand


@pytest.fixture(scope="module")
def state(applied):
    return (applied.root("dev") / "terraform.tfstate").read_text()


@pytest.fixture(scope="module")
def outputs(state):
    return {name: output["value"] for name, output in json.loads(state)["outputs"].items()}


def test_apply_ends_in_one_line_that_counts(applied, state):
    made = [r for r in json.loads(state)["resources"] if r["mode"] == "managed"]

    number = sum(len(resource["instances"]) for resource in made)
    assert applied.line == (f"dev: {number} added, 0 changed, 0 destroyed "
                            f"(platform: {number} added, 0 changed, 0 destroyed)")


def test_second_plan_is_empty(applied):
    code, line, shown = applied.run("plan", "dev", "--only", "platform")

    assert (code, line) == (
        0, "dev: 0 to add, 0 to change, 0 to destroy (platform: no changes)"), shown


def test_network_has_two_zones_and_one_way_out(applied):
    ec2 = applied.client("ec2")
    vpc = ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": [NAME]}])["Vpcs"][0]
    inside = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]

    subnets = ec2.describe_subnets(Filters=inside)["Subnets"]
    endpoints = ec2.describe_vpc_endpoints(Filters=inside)["VpcEndpoints"]

    assert len({subnet["AvailabilityZone"] for subnet in subnets}) == 2
    assert len(subnets) == 4
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in subnets)
    assert {e["ServiceName"].split("eu-central-1.")[1] for e in endpoints} == {
        "s3", "ecr.api", "ecr.dkr", "sts"}
    assert len(ec2.describe_nat_gateways(
        Filter=[*inside, {"Name": "state", "Values": ["available"]}])["NatGateways"]) == 1


def test_default_security_group_lets_nothing_through(applied):
    groups = applied.client("ec2").describe_security_groups(
        Filters=[{"Name": "tag:Name", "Values": [f"{NAME}-unused"]}])["SecurityGroups"]

    assert [(g["IpPermissions"], g["IpPermissionsEgress"]) for g in groups] == [([], [])]


def test_cluster_encrypts_secrets_and_logs(applied):
    cluster = applied.client("eks").describe_cluster(name=NAME)["cluster"]

    assert cluster["encryptionConfig"][0]["resources"] == ["secrets"]
    assert cluster["resourcesVpcConfig"]["endpointPrivateAccess"]
    assert not cluster["resourcesVpcConfig"]["endpointPublicAccess"]
    assert any(log["enabled"] and "audit" in log["types"]
               for log in cluster["logging"]["clusterLogging"])


def test_pods_cannot_take_the_role_of_their_node(applied):
    version = applied.client("ec2").describe_launch_template_versions(
        LaunchTemplateName=f"{NAME}-node")["LaunchTemplateVersions"][0]["LaunchTemplateData"]

    assert version["MetadataOptions"]["HttpTokens"] == "required"
    assert version["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
    assert version["BlockDeviceMappings"][0]["Ebs"]["Encrypted"]


def test_every_function_has_a_repository_whose_tags_are_final(applied, outputs):
    repositories = applied.client("ecr").describe_repositories()["repositories"]

    assert {r["repositoryUri"] for r in repositories} == {
        f"{outputs['registry']}/{function}" for function in FUNCTIONS}
    assert {r["imageTagMutability"] for r in repositories} == {"IMMUTABLE"}
    assert all(r["imageScanningConfiguration"]["scanOnPush"] for r in repositories)


@pytest.mark.parametrize("bucket", ["archive_bucket", "workspace_bucket"])
def test_bucket_is_private_encrypted_versioned_and_tls_only(applied, outputs, bucket):
    s3, name = applied.client("s3"), outputs[bucket]

    rule = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0]
    denied = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"][0]
    public = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]

    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    assert len(public) == 4
    assert all(public.values())
    assert denied["Effect"] == "Deny"
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_archive_ages_into_cheaper_storage(applied, outputs):
    rules = applied.client("s3").get_bucket_lifecycle_configuration(
        Bucket=outputs["archive_bucket"])["Rules"]

    ages = [(t["Days"], t["StorageClass"]) for rule in rules for t in rule.get("Transitions", ())]
    assert sorted(ages) == [(30, "STANDARD_IA"), (180, "GLACIER_IR")]


def test_function_may_do_in_aws_what_it_needs_and_nothing_else(applied, outputs):
    allowed = {function: rights_of(applied.client("iam"), f"{NAME}-{function}")
               for function in FUNCTIONS}

    archive, workspace = (f"arn:aws:s3:::{outputs[b]}" for b in (
        "archive_bucket", "workspace_bucket"))
    objects = {right for right in allowed["costs"] if right[1] == f"{archive}/*"}
    assert {action for action, _ in objects} == {
        "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"}
    assert {(a, r) for a, r in allowed["reader"] if not a.startswith("kms:")} == {
        ("s3:GetObject", f"{workspace}/*"), ("s3:ListBucket", workspace),
        ("s3:GetBucketLocation", workspace)}
    assert {function for function, rights in allowed.items() if rights} == {"costs", "reader"}
    assert not {right for rights in allowed.values() for right in rights if right[1] == "*"}


def rights_of(iam, role):
    assert not iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    documents = [iam.get_role_policy(RoleName=role, PolicyName=n)["PolicyDocument"] for n in names]
    return {(action, resource) for document in documents for s in document["Statement"]
            for action in listed(s["Action"]) for resource in listed(s["Resource"])}


def listed(value):
    return [value] if isinstance(value, str) else value


def test_role_is_taken_by_one_service_account(applied, outputs):
    trust = applied.client("iam").get_role(RoleName=f"{NAME}-costs")["Role"]
    statement = trust["AssumeRolePolicyDocument"]["Statement"][0]

    subjects = [v for k, v in statement["Condition"]["StringEquals"].items() if k.endswith(":sub")]
    assert subjects == ["system:serviceaccount:tollgate:costs"]
    assert statement["Principal"] == {"Federated": outputs["oidc_provider_arn"]}


def test_generated_secret_is_in_secrets_manager_and_nowhere_else(applied, state, outputs):
    value = applied.client("secretsmanager").get_secret_value(
        SecretId=outputs["secret_arns"]["grant-key"])["SecretString"]

    assert re.fullmatch(r"[A-Za-z0-9]{64}", value)
    assert value not in state
    for file in applied.folder.rglob("*"):
        if file.is_file() and file.stat().st_size < 10_000_000:
            assert value.encode() not in file.read_bytes(), file


def test_given_secret_is_written_and_not_kept(applied):
    code, line, shown = applied.run("apply", "dev", "--only", "platform", **GIVEN,
                                    **QUICKLY)

    manager = applied.client("secretsmanager")
    value = manager.get_secret_value(SecretId=f"{NAME}/api-keys")["SecretString"]
    assert (code, value) == (0, "a-key-that-nobody-keeps"), shown
    assert line.startswith("dev: 1 added, 0 changed, 0 destroyed")
    assert value not in shown
    for file in applied.root("dev").glob("terraform.tfstate*"):
        assert value not in file.read_text()


def test_everything_is_tagged(applied, state):
    tagged = [i["attributes"] for r in json.loads(state)["resources"] if r["mode"] == "managed"
              for i in r["instances"] if "tags_all" in i["attributes"]]

    assert len(tagged) > 50
    for attributes in tagged:
        assert {"project", "environment", "managed-by"} <= set(attributes["tags_all"])


def test_change_behind_its_back_is_named_as_drift_and_repaired(applied, outputs):
    applied.client("s3").put_bucket_versioning(
        Bucket=outputs["archive_bucket"], VersioningConfiguration={"Status": "Suspended"})
    code, line, _ = applied.made("make", "drift", "env=dev", "only=platform", **GIVEN)
    repaired = applied.run("apply", "dev", "--only", "platform", **GIVEN)
    after = applied.run("drift", "dev", "--only", "platform", **GIVEN)

    storage = "module.platform.module.storage"
    assert (code, line) == (2, f"dev: drift in 1: {storage}.aws_s3_bucket_versioning"
                               '.this["archive"] (versioning_configuration)')
    assert repaired[1].startswith("dev: 0 added, 1 changed, 0 destroyed")
    assert after[:2] == (0, "dev: no drift")


def test_kubeconfig_leads_to_the_cluster_without_a_secret(applied, outputs):
    code, line, shown = applied.made("make", "kubeconfig", "env=dev", **GIVEN)
    config = yaml.safe_load(Path(line).read_text())

    assert code == 0, shown
    assert config["clusters"][0]["cluster"]["server"] == outputs["cluster_endpoint"]
    assert config["users"][0]["user"]["exec"]["command"] == "aws"


def test_second_run_during_one_says_who_holds_the_state(applied):
    lock = applied.root("dev") / ".terraform.tfstate.lock.info"
    from tests.terraform.aws.locking import held

    with held(applied.root("dev") / "terraform.tfstate", lock):
        code, line, _ = applied.run("apply", "dev", "--only", "platform")

    assert code == 1
    assert "Error acquiring the state lock" in line
    assert "somebody else" in line


def test_loss_of_data_needs_a_word_of_its_own(applied):
    code, line, _ = applied.run("apply", "dev", "--only", "platform",
                                TF_VAR_name="tollgate-other", **QUICKLY)

    assert code == 1
    assert "this would take away what holds data" in line
    assert "yes=1" in line
    assert applied.client("eks").list_clusters()["clusters"] == [NAME]


def test_destroy_asks_first(applied):
    code, line, _ = applied.run("destroy", "dev", "--only", "platform")

    assert (code, line) == (1, "dev: destroy failed: nobody is here to confirm: "
                               "make destroy env=dev yes=1")


def test_destroy_leaves_nothing(applied, outputs):
    code, line, shown = applied.run("destroy", "dev", "--only", "platform", "--yes", **QUICKLY)

    assert code == 0, shown
    assert re.fullmatch(r"dev: 0 added, 0 changed, (\d+) destroyed \(platform: .*\)", line)
    assert not left(applied)
    again = applied.run("destroy", "dev", "--only", "platform", "--yes")
    assert again[:2] == (
        0, "dev: 0 added, 0 changed, 0 destroyed (platform: nothing there)")


def left(stand):
    """List everything in the account but what an account begins with."""
    ec2, iam, kms = stand.client("ec2"), stand.client("iam"), stand.client("kms")
    keys = [kms.describe_key(KeyId=k["KeyId"])["KeyMetadata"] for k in kms.list_keys()["Keys"]]
    custom = [{"Name": "is-default", "Values": ["false"]}]
    found = {
        "clusters": stand.client("eks").list_clusters()["clusters"],
        "repositories": stand.client("ecr").describe_repositories()["repositories"],
        "buckets": stand.client("s3").list_buckets()["Buckets"],
        "secrets": stand.client("secretsmanager").list_secrets()["SecretList"],
        "roles": [r for r in iam.list_roles()["Roles"] if r["RoleName"].startswith(NAME)],
        "providers": iam.list_open_id_connect_providers()["OpenIDConnectProviderList"],
        "vpcs": ec2.describe_vpcs(Filters=custom)["Vpcs"],
        "addresses": ec2.describe_addresses()["Addresses"],
        "templates": ec2.describe_launch_templates()["LaunchTemplates"],
        "logs": stand.client("logs").describe_log_groups()["logGroups"],
        "keys": [k for k in keys if k["KeyState"] != "PendingDeletion"],
    }
    return {kind: things for kind, things in found.items() if things}
