"""An AWS of moto's as a process: `python -m tests.terraform.aws.server PORT`.

moto answers five questions otherwise than AWS, and Terraform would make cluster and nodes anew at
every plan. What is corrected here is what AWS's API reference says of these answers.
"""

import sys

from moto.core.responses import ActionResult
from moto.ec2.models.launch_templates import LaunchTemplateBackend
from moto.eks import models
from moto.eks.responses import EKSResponse
from moto.server import main

cluster_of_moto = EKSResponse.create_cluster
group_of_moto = EKSResponse.create_nodegroup
template_of_moto = LaunchTemplateBackend.create_launch_template


def create_cluster(self) -> ActionResult:
    """Keep how the cluster is accessed, and give it the security group of its nodes."""
    answer = cluster_of_moto(self)
    cluster = self.eks_backend.clusters[self._get_param("name")]
    cluster.access_config = self._get_param("accessConfig")
    cluster.resources_vpc_config["clusterSecurityGroupId"] = "sg-0123456789abcdef0"
    return answer


def create_nodegroup(self) -> ActionResult:
    """Keep how nodes are updated; let nobody log into them who was not asked for."""
    models.DEFAULT_REMOTE_ACCESS = None
    answer = group_of_moto(self)
    cluster = self.eks_backend.clusters[self.parsed_url.path.split("/")[2]]
    group = cluster.nodegroups[self._get_param("nodegroupName")]
    group.update_config = self._get_param("updateConfig")
    return answer


def create_launch_template(self, name, description, template_data, tag_spec):
    """Give the template its own tags, instead of what it launches."""
    kept = [s for s in template_data.pop("TagSpecifications", [])
            if s["ResourceType"] != "launch-template"]
    if kept:
        template_data["TagSpecifications"] = kept
    return template_of_moto(self, name, description, template_data, tag_spec)


if __name__ == "__main__":
    EKSResponse.create_cluster = create_cluster
    EKSResponse.create_nodegroup = create_nodegroup
    LaunchTemplateBackend.create_launch_template = create_launch_template
    main(["-H", "127.0.0.1", "-p", sys.argv[1]])
