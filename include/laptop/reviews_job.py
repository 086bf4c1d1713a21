"""What Terraform puts into an account for the reviews, put into the local one: scripts, secret, Glue job."""

import json
import tempfile
from pathlib import Path

import boto3

from glue import wheel
from laptop.environment import PROJECT

SCRIPT_BUCKET = "redshift-etl-scripts"
JOB_NAME = "reviews-etl"
CONNECTION = "redshift-etl"
SECRET = "redshift-etl/reviews"  # noqa: S105  # its name
CLUSTER_SECRET = "redshift-etl/awsuser"  # noqa: S105  # its name
ROLE = "arn:aws:iam::123456789012:role/redshift-etl-glue"


def deploy() -> None:
    """Upload `sql/reviews`, the job's script and its wheel, and create secret, connection and job.

    AWS is the one of the environment (`AWS_ENDPOINT_URL`); it has nothing of this yet.
    """
    s3, secrets, glue = boto3.client("s3"), boto3.client("secretsmanager"), boto3.client("glue")
    s3.create_bucket(Bucket=SCRIPT_BUCKET)
    for file in sorted((PROJECT / "sql" / "reviews").glob("*.sql")):
        s3.upload_file(str(file), SCRIPT_BUCKET, f"sql/reviews/{file.name}")
    script = Path(wheel.__file__).with_name("reviews_etl.py")
    s3.upload_file(str(script), SCRIPT_BUCKET, f"python/{script.name}")
    with tempfile.TemporaryDirectory() as folder:
        built = wheel.build(Path(folder))
        s3.upload_file(str(built), SCRIPT_BUCKET, f"python/{built.name}")

    login = json.loads(secrets.get_secret_value(SecretId=CLUSTER_SECRET)["SecretString"])
    # The cluster on this machine has no certificate.
    secrets.create_secret(Name=SECRET, SecretString=json.dumps(login | {"ssl": False}))
    glue.create_connection(
        ConnectionInput={"Name": CONNECTION, "ConnectionType": "NETWORK", "ConnectionProperties": {}}
    )
    glue.create_job(
        Name=JOB_NAME,
        Role=ROLE,
        Command={
            "Name": "pythonshell",
            "PythonVersion": "3.9",
            "ScriptLocation": f"s3://{SCRIPT_BUCKET}/python/{script.name}",
        },
        Connections={"Connections": [CONNECTION]},
        DefaultArguments={
            "--db": login["dbname"],
            "--db_creds": SECRET,
            "--bucket": SCRIPT_BUCKET,
            "--extra-py-files": f"s3://{SCRIPT_BUCKET}/python/{built.name}",
            "--library-set": "analytics",
        },
        MaxRetries=0,
        ExecutionProperty={"MaxConcurrentRuns": 3},
        Timeout=60,
    )
