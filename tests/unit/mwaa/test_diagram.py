"""The picture of what Terraform made: boxes from resources, arrows from the roles' statements."""

import json
from typing import Any

from mwaa.diagram import draw


def resource(address: str, **values: Any) -> dict[str, Any]:
    return {"address": address, "type": address.split(".")[-2], "mode": "managed", "values": values}


def policy(role: str, *statements: tuple[str, str]) -> dict[str, Any]:
    document = {"Statement": [{"Sid": sid, "Resource": named} for sid, named in statements]}
    return resource(f"aws_iam_role_policy.{role}", policy=json.dumps(document))


STATE = {
    "values": {
        "root_module": {
            "resources": [
                resource("aws_vpc.this", cidr_block="10.0.0.0/16"),
                resource("aws_glue_job.load", name="load", arn="arn:job"),
                resource(
                    "aws_redshift_cluster.this[0]",
                    number_of_nodes=2,
                    node_type="ra3.large",
                    arn="arn:cluster",
                    master_password_secret_arn="arn:secret",
                ),
                policy(
                    "glue",
                    ("ReadLogin", "arn:secret"),
                    ("ReadScripts", "arn:scripts/*"),
                    ("FindScripts", "arn:scripts"),
                    ("SeeItself", "arn:job"),
                    ("UseKey", "arn:key"),
                ),
            ],
            "child_modules": [
                {"resources": [resource('module.bucket["scripts"].aws_s3_bucket.this', arn="arn:scripts")]}
            ],
        }
    }
}


def test_boxes_stand_where_they_belong_and_arrows_say_what_is_allowed() -> None:
    assert (
        draw(STATE)
        == """flowchart LR
    subgraph private_subnets ["VPC 10.0.0.0/16: private subnets"]
        aws_glue_job_load["AWS Glue job<br/>load"]
        aws_redshift_cluster_this_0["Amazon Redshift<br/>2 ra3.large"]
    end
    subgraph Amazon_S3 ["Amazon S3"]
        module_bucket_scripts_aws_s3_bucket_this["scripts"]
    end
    aws_glue_job_load -- "Read login" --> aws_redshift_cluster_this_0
    aws_glue_job_load -- "Read scripts<br/>Find scripts" --> module_bucket_scripts_aws_s3_bucket_this
"""
    )
