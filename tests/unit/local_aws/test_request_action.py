"""The service and operation of a request, told from what boto3 really sends."""

from io import BytesIO
from urllib.parse import urlsplit

import boto3
import pytest
from werkzeug.test import EnvironBuilder

from local_aws.request_action import action_of

_STATEMENT = {"ClusterIdentifier": "c", "Database": "d", "Sql": "select 1"}
_OBJECT = {"Bucket": "lake", "Key": "a/b ü'%2F.parquet"}


def _environ(method, url, headers, body):
    path = urlsplit(url)
    builder = EnvironBuilder(
        method=method,
        path=path.path,
        query_string=path.query,
        headers={
            key: value.decode() if isinstance(value, bytes) else value for key, value in headers.items()
        },
        input_stream=BytesIO(body),
    )
    environ = builder.get_environ()
    environ["RAW_URI"] = path.path + ("?" + path.query if path.query else "")
    return environ


class _SentError(Exception):
    """Instead of an answer: the request is all that is wanted."""


def _client(service):
    # Addressed by a number, S3 puts the bucket into the path, as it does for a local endpoint.
    where = {"endpoint_url": "http://127.0.0.1:1", "region_name": "us-east-1"}
    return boto3.client(service, aws_access_key_id="any", aws_secret_access_key="any", **where)


def _sent(service, operation, arguments):
    client = _client(service)
    seen = []

    def keep(request, **_):
        body = request.body or b""
        body = body if isinstance(body, bytes | str) else body.read()
        body = body.encode() if isinstance(body, str) else body
        seen.append(_environ(request.method, request.url, request.headers, body))
        raise _SentError

    client.meta.events.register("before-send", keep)
    with pytest.raises(_SentError):
        getattr(client, operation)(**arguments)
    return seen[0]


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "named"),
    [
        ("redshift-data", "execute_statement", _STATEMENT, ("redshift-data", "ExecuteStatement")),
        ("glue", "start_job_run", {"JobName": "j"}, ("glue", "StartJobRun")),
        ("secretsmanager", "get_secret_value", {"SecretId": "s"}, ("secretsmanager", "GetSecretValue")),
        ("redshift", "describe_clusters", {}, ("redshift", "DescribeClusters")),
        ("sts", "get_caller_identity", {}, ("sts", "GetCallerIdentity")),
        ("sns", "publish", {"TopicArn": "t", "Message": "m&Action=x"}, ("sns", "Publish")),
        ("events", "put_events", {"Entries": [{}]}, ("events", "PutEvents")),
        ("cloudwatch", "list_metrics", {}, ("cloudwatch", "ListMetrics")),
        ("sesv2", "get_account", {}, ("ses", "GetAccount")),
        ("mwaa", "get_environment", {"Name": "e"}, ("airflow", "GetEnvironment")),
        (
            "quicksight",
            "create_ingestion",
            {"AwsAccountId": "123456789012", "DataSetId": "d", "IngestionId": "i"},
            ("quicksight", "CreateIngestion"),
        ),
        ("lambda", "list_functions", {}, ("lambda", "ListFunctions")),
        ("s3", "list_buckets", {}, ("s3", "ListBuckets")),
        ("s3", "create_bucket", {"Bucket": "lake"}, ("s3", "CreateBucket")),
        ("s3", "list_objects_v2", {"Bucket": "lake", "Prefix": "a/"}, ("s3", "ListObjectsV2")),
        ("s3", "list_objects", {"Bucket": "lake"}, ("s3", "ListObjects")),
        ("s3", "get_bucket_policy", {"Bucket": "lake"}, ("s3", "GetBucketPolicy")),
        ("s3", "head_object", _OBJECT, ("s3", "HeadObject")),
        ("s3", "get_object", _OBJECT, ("s3", "GetObject")),
        ("s3", "put_object", _OBJECT | {"Body": b"x"}, ("s3", "PutObject")),
        ("s3", "delete_object", _OBJECT, ("s3", "DeleteObject")),
        ("s3", "copy_object", _OBJECT | {"CopySource": "a/b"}, ("s3", "CopyObject")),
        ("s3", "create_multipart_upload", _OBJECT, ("s3", "CreateMultipartUpload")),
        (
            "s3",
            "upload_part",
            _OBJECT | {"UploadId": "u", "PartNumber": 1, "Body": b"x"},
            ("s3", "UploadPart"),
        ),
        (
            "s3control",
            "get_public_access_block",
            {"AccountId": "123456789012"},
            ("s3", "GetPublicAccessBlock"),
        ),
    ],
)
def test_a_request_is_named_as_boto3_and_iam_name_it(service, operation, arguments, named):
    assert action_of(_sent(service, operation, arguments)) == named


def test_the_body_can_be_read_again():
    environ = _sent("sts", "get_caller_identity", {})
    action_of(environ)
    assert environ["wsgi.input"].read() == b"Action=GetCallerIdentity&Version=2011-06-15"


def test_a_presigned_address_is_named_without_a_header():
    address = _client("s3").generate_presigned_url("get_object", Params={"Bucket": "lake", "Key": "k"})
    assert action_of(_environ("GET", address, {}, b"")) == ("s3", "GetObject")


@pytest.mark.parametrize("service", ["quicksight", "no-such-service"])
def test_a_request_that_no_operation_has_is_named_by_its_service_alone(service):
    signature = f"AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/{service}/aws4_request, Signature=b"
    environ = _environ("PATCH", "http://aws/no/such/path", {"Authorization": signature}, b"")
    assert action_of(environ) == (service, "")
