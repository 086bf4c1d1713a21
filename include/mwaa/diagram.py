"""Draws what Terraform made as a Mermaid diagram; `terraform show -json | python -m mwaa.diagram`.

The boxes are the resources that somebody asks about. The arrows are the statements of the roles' policies:
who may do what to which of them.
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

type Resource = dict[str, Any]


@dataclass(frozen=True)
class Box:
    """A resource in the picture.

    Attributes:
        key: Its name in Mermaid.
        place: The box around it.
        text: What stands in it.
        arns: What policies call it, and the login to it.
    """

    key: str
    place: str
    text: str
    arns: tuple[str, ...]


# Where a type of resource stands, and what it says: {name} and so on are its attributes.
_SHOWN = {
    "aws_nat_gateway": ("public subnets", "NAT gateway"),
    "aws_mwaa_environment": ("private subnets", "Amazon MWAA<br/>Airflow {airflow_version}"),
    "aws_redshift_cluster": ("private subnets", "Amazon Redshift<br/>{number_of_nodes} {node_type}"),
    "aws_redshiftserverless_workgroup": (
        "private subnets",
        "Amazon Redshift Serverless<br/>{base_capacity} RPU",
    ),
    "aws_glue_job": ("private subnets", "AWS Glue job<br/>{name}"),
    "aws_s3_bucket": ("Amazon S3", "{purpose}"),
    "aws_glue_catalog_database": ("Glue catalog", "{name}"),
    "aws_sns_topic": ("alerts", "SNS topic"),
    "aws_sns_topic_subscription": ("alerts", "mail"),
    "aws_quicksight_data_set": ("reports", "QuickSight<br/>{name}"),
}
# Who works with a role's rights.
_WORKERS = {
    "airflow": ("aws_mwaa_environment",),
    "glue": ("aws_glue_job",),
    "warehouse": ("aws_redshift_cluster", "aws_redshiftserverless_workgroup"),
    "quicksight": ("aws_quicksight_data_set",),
}
_IN_THE_VPC = ("public subnets", "private subnets")


def draw(state: dict[str, Any]) -> str:
    """Draw a state.

    Args:
        state: What `terraform show -json` printed.

    Returns:
        Mermaid's text.
    """
    resources = sorted(_resources(state["values"]["root_module"]), key=lambda found: str(found["address"]))
    boxes = {found["address"]: _box(found) for found in resources if found["type"] in _SHOWN}
    (vpc,) = [found["values"]["cidr_block"] for found in resources if found["type"] == "aws_vpc"]
    lines = ["flowchart LR"]
    for place in dict.fromkeys(place for place, _ in _SHOWN.values()):
        inside = [f'        {box.key}["{box.text}"]' for box in boxes.values() if box.place == place]
        if inside:
            title = f"VPC {vpc}: {place}" if place in _IN_THE_VPC else place
            lines += [f'    subgraph {_key(place)} ["{title}"]', *inside, "    end"]
    return "\n".join([*lines, *_arrows(resources, boxes)]) + "\n"


def _resources(module: dict[str, Any]) -> Iterator[Resource]:
    yield from (found for found in module.get("resources", []) if found["mode"] == "managed")
    for child in module.get("child_modules", []):
        yield from _resources(child)


def _box(found: Resource) -> Box:
    place, text = _SHOWN[found["type"]]
    values = {name: value for name, value in found["values"].items() if isinstance(value, str | int | float)}
    # The address of a bucket is of the form module.bucket["data"].aws_s3_bucket.this or module.logs_bucket...
    purpose = re.search(r'bucket\["(\w+)"\]|module\.(\w+)_bucket', found["address"])
    values["purpose"] = next(filter(None, purpose.groups()), "") if purpose else ""
    arns = (str(values[name]) for name in ("arn", "master_password_secret_arn") if values.get(name))
    return Box(_key(found["address"]), place, text.format_map(values), tuple(arns))


def _key(text: str) -> str:
    return re.sub(r"\W+", "_", text).strip("_")


def _arrows(resources: list[Resource], boxes: dict[str, Box]) -> list[str]:
    """One arrow from each worker to each box that a statement of its role names, with all it may do there."""
    labels: dict[tuple[str, str], list[str]] = {}
    for policy in (found for found in resources if found["type"] == "aws_iam_role_policy"):
        kinds = next((kinds for role, kinds in _WORKERS.items() if f".{role}" in policy["address"]), ())
        workers = [box for address, box in boxes.items() if address.split(".")[0] in kinds]
        for statement in json.loads(policy["values"]["policy"])["Statement"]:
            named = statement["Resource"]
            for target in _named([named] if isinstance(named, str) else named, boxes):
                for worker in (worker for worker in workers if worker is not target):
                    labels.setdefault((worker.key, target.key), []).append(_words(statement["Sid"]))
    arrows = [
        f'    {worker} -- "{"<br/>".join(dict.fromkeys(told))}" --> {target}'
        for (worker, target), told in labels.items()
    ]
    topic = next((box.key for box in boxes.values() if box.text == "SNS topic"), None)
    mail = next((box.key for box in boxes.values() if box.text == "mail"), None)
    return [*arrows, f"    {topic} --> {mail}"] if topic and mail else arrows


def _named(resources: list[str], boxes: dict[str, Box]) -> list[Box]:
    """The boxes that a statement's ARNs are about: themselves, or something in them."""
    return [
        box
        for box in boxes.values()
        if any(arn == own or arn.startswith(f"{own}/") for own in box.arns for arn in resources)
    ]


def _words(sid: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", sid).capitalize()


if __name__ == "__main__":
    sys.stdout.write(draw(json.load(sys.stdin)))
