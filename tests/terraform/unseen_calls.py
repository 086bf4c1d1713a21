"""Calls that the roles need on AWS and that no run on this machine makes: who makes each there, and why."""

from typing import Any

from rights import Call

WHERE = "us-east-1:123456789012"
DATA_SET = f"arn:aws:quicksight:{WHERE}:dataset/redshift-etl-top-reviews"


def unseen_calls(role: str, output: dict[str, Any]) -> dict[str, set[Call]]:
    """The calls by their reason.

    Args:
        role: airflow, glue or warehouse.
        output: Terraform's outputs.
    """
    buckets = {purpose: f"arn:aws:s3:::{name}" for purpose, name in output["bucket_names"].items()}
    key, secret = output["kms_key_arn"], output["secret_arn"]
    if role == "airflow":
        return _of_airflow(buckets, key, secret)
    return _of_glue(buckets, key, output) if role == "glue" else _of_warehouse(buckets, key)


def _of_airflow(buckets: dict[str, str], key: str, secret: str) -> dict[str, set[Call]]:
    logs = f"arn:aws:logs:{WHERE}:log-group:airflow-redshift-etl-Task"
    queue = "arn:aws:sqs:us-east-1:999999999999:airflow-celery-1"
    return {
        "MWAA's user guide, execution role: its heartbeat and its look at the buckets": _calls(
            ("airflow:PublishMetrics", f"arn:aws:airflow:{WHERE}:environment/redshift-etl"),
            ("s3:GetBucketPublicAccessBlock", buckets["airflow"]),
            ("s3:GetAccountPublicAccessBlock", "*"),
            ("cloudwatch:PutMetricData", "*"),
            ("logs:DescribeLogGroups", "*"),
        ),
        "the same: Airflow's logs": _calls(
            *((f"logs:{call}", logs) for call in ("CreateLogGroup", "CreateLogStream", "PutLogEvents")),
            *((f"logs:{call}", logs) for call in ("GetLogEvents", "GetLogRecord", "GetLogGroupFields")),
            ("logs:GetQueryResults", logs),
        ),
        "the same: the workers' queue, which is in an account of MWAA's": _calls(
            *((f"sqs:{call}", queue) for call in ("ReceiveMessage", "SendMessage", "DeleteMessage")),
            *((f"sqs:{call}", queue) for call in ("ChangeMessageVisibility", "GetQueueAttributes")),
            ("sqs:GetQueueUrl", queue),
        ),
        "S3, SNS, SQS and Secrets Manager use the key for whoever calls them": _calls(
            *((f"kms:{call}", key) for call in ("Decrypt", "DescribeKey", "GenerateDataKey", "Encrypt"))
        ),
        "the Data API reads the login with the rights of who runs the statement": _calls(
            ("secretsmanager:GetSecretValue", secret)
        ),
        "connections and variables that a team keeps in Secrets Manager": _calls(
            *(
                ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{WHERE}:secret:airflow/{kind}/one")
                for kind in ("connections", "variables")
            )
        ),
        "a task that is killed, times out or is tried again": _calls(
            ("redshift-data:CancelStatement", "*"),
            ("glue:BatchStopJobRun", f"arn:aws:glue:{WHERE}:job/reviews-etl"),
            ("quicksight:CancelIngestion", f"{DATA_SET}/ingestion/one"),
            ("quicksight:ListIngestions", "*"),  # IAM is told no resource of it
        ),
        "a check that finds something keeps a sample of it": _calls(
            ("redshift-data:GetStatementResult", "*"),
            ("s3:PutObject", f"{buckets['data']}/quality/keys_resolve/refresh_date=2003-01-02/sample.json"),
        ),
    }


def _of_glue(buckets: dict[str, str], key: str, output: dict[str, Any]) -> dict[str, set[Call]]:
    interface = f"arn:aws:ec2:{WHERE}:network-interface/eni-1"
    looks = ("NetworkInterfaces", "RouteTables", "SecurityGroups", "Subnets", "VpcEndpoints")
    return {
        "Glue's developer guide, jobs with a connection: it puts the machine into the VPC": _calls(
            *((f"ec2:Describe{what}", "*") for what in looks),
            ("ec2:DescribeVpcAttribute", f"arn:aws:ec2:{WHERE}:vpc/{output['vpc_id']}"),
            ("ec2:CreateNetworkInterface", interface),
            ("ec2:CreateTags", interface),
            ("ec2:DeleteTags", interface),
            ("ec2:DeleteNetworkInterface", interface),
        ),
        "the same, security configurations: it encrypts the log group that it makes": _calls(
            ("logs:AssociateKmsKey", f"arn:aws:logs:{WHERE}:log-group:/aws-glue/python-jobs/output")
        ),
        "S3 and Secrets Manager use the key for whoever calls them": _calls(("kms:Decrypt", key)),
        "a file that is not there is told as such": _calls(("s3:ListBucket", buckets["scripts"])),
    }


def _of_warehouse(buckets: dict[str, str], key: str) -> dict[str, set[Call]]:
    data, partition = buckets["data"], f"arn:aws:glue:{WHERE}:table/tpcds_lake/store_sales"
    reviews = f"arn:aws:glue:{WHERE}:table/amzreviews/reviews"
    return {
        "Spectrum reads the lake; here it takes the files from S3's memory, without a call": _calls(
            ("s3:GetObject", f"{data}/raw/store_sales/sale_date=2003-01-02/part-00000.parquet")
        ),
        "Redshift looks where a bucket is": _calls(("s3:GetBucketLocation", data)),
        "UNLOAD with ENCRYPTED AUTO asks for the bucket's default key": _calls(
            ("s3:GetEncryptionConfiguration", data)
        ),
        "a second UNLOAD removes the files of the first, one that fails its own": _calls(
            ("s3:DeleteObject", f"{data}/reports/top_reviews/data/000.csv"),
            ("s3:AbortMultipartUpload", f"{data}/reports/top_reviews/data/000.csv"),
        ),
        "S3 uses the key for whoever calls it": _calls(("kms:Decrypt", key), ("kms:GenerateDataKey", key)),
        "Redshift's guide, policies for Spectrum: it chooses between calls for one and for many": _calls(
            ("glue:GetDatabase", f"arn:aws:glue:{WHERE}:database/tpcds_lake"),
            ("glue:GetDatabases", f"arn:aws:glue:{WHERE}:catalog"),
            *(
                (f"glue:{call}", partition)
                for call in ("GetPartition", "BatchGetPartition", "CreatePartition")
            ),
        ),
        "somebody drops an external table whose files are to lie elsewhere, as the runbook says": _calls(
            ("glue:DeleteTable", partition), ("glue:DeleteTable", reviews)
        ),
    }


def _calls(*made: tuple[str, str]) -> set[Call]:
    return {Call(action, resource) for action, resource in made}
