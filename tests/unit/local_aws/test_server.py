"""The process: its front, its control plane, its command line, its end."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import boto3
import pytest

from local_aws.server import PortTakenError, Server

WHERE = {"ClusterIdentifier": "redshift-etl", "Database": "dev", "DbUser": "awsuser"}
INCLUDE = Path(__file__).parents[3] / "include"


def _get(server, path):
    with urllib.request.urlopen(server.endpoint_url + path) as response:
        return json.load(response)


def _post(server, path):
    with urllib.request.urlopen(
        urllib.request.Request(server.endpoint_url + path, method="POST")
    ) as response:
        return json.load(response)


def test_health_says_what_runs(server):
    health = _get(server, "/_local/health")
    assert health["status"] == "ok"
    assert health["wire_port"] == server.wire_port
    assert (health["cluster"], health["database"]) == ("redshift-etl", "dev")


def test_moto_answers_what_is_not_ours(aws):
    s3 = aws("s3")
    s3.create_bucket(Bucket="files")
    s3.put_object(Bucket="files", Key="a b/ü=1.txt", Body=b"x" * 300_000)
    assert s3.get_object(Bucket="files", Key="a b/ü=1.txt")["Body"].read() == b"x" * 300_000
    assert s3.head_object(Bucket="files", Key="a b/ü=1.txt")["ContentLength"] == 300_000
    assert aws("sts").get_caller_identity()["Account"] == "123456789012"


def test_large_uploads_in_parts_keep_the_connection_usable(aws):
    s3 = aws("s3")
    s3.create_bucket(Bucket="parts")
    upload = s3.create_multipart_upload(Bucket="parts", Key="big")["UploadId"]
    sent = [
        {
            "PartNumber": number,
            "ETag": s3.upload_part(
                Bucket="parts", Key="big", UploadId=upload, PartNumber=number, Body=b"p" * 5_300_000
            )["ETag"],
        }
        for number in (1, 2)
    ]
    s3.complete_multipart_upload(Bucket="parts", Key="big", UploadId=upload, MultipartUpload={"Parts": sent})
    assert s3.head_object(Bucket="parts", Key="big")["ContentLength"] == 10_600_000


def test_redshift_reads_and_writes_the_same_s3(aws, execute, rows):
    s3 = aws("s3")
    s3.create_bucket(Bucket="lake")
    s3.put_object(Bucket="lake", Key="in/part.csv", Body=b"1,one\n2,two\n")
    role = "iam_role 'arn:aws:iam::123456789012:role/redshift-etl-warehouse'"
    execute("create table numbers (n int, word varchar(10))")

    assert execute(f"copy numbers from 's3://lake/in/' {role} csv")["Status"] == "FINISHED"
    assert rows("select * from numbers order by n") == [(1, "one"), (2, "two")]
    described = execute(
        f"unload ('select * from numbers order by n') to 's3://lake/out/n_' {role} csv header parallel off"
    )
    assert described["Status"] == "FINISHED", described
    (file,) = s3.list_objects_v2(Bucket="lake", Prefix="out/")["Contents"]
    body = s3.get_object(Bucket="lake", Key=file["Key"])["Body"].read()
    assert body.split() == [b"n,word", b"1,one", b"2,two"]


def test_connections_are_kept_open(server):
    with socket.create_connection(server.endpoint_url.removeprefix("http://").split(":")) as client:
        stream = client.makefile("rb")
        for _ in range(3):
            client.sendall(b"GET /_local/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
            length = 0
            while (line := stream.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length"):
                    length = int(line.split(b":")[1])
            assert json.loads(stream.read(length))["status"] == "ok"


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        (b"Content-Length: abc", b"Content-Length abc is not a number of bytes."),
        (b"Content-Length: -5", b"Content-Length -5 is not a number of bytes."),
        (b"Content-Length: 1_0", b"Content-Length 1_0 is not a number of bytes."),
        (b"Transfer-Encoding: chunked", b"The body's chunks cannot be told apart: Invalid chunk header."),
    ],
)
def test_a_body_without_an_end_is_refused_in_one_sentence(server, capfd, header, sentence):
    with socket.create_connection(server.endpoint_url.removeprefix("http://").split(":"), 10) as client:
        client.sendall(b"PUT /lake/one HTTP/1.1\r\nHost: localhost\r\n%b\r\n\r\nzz\r\n" % header)
        answer = client.makefile("rb").read()  # to its end: the connection is closed
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.endswith(b"\r\n\r\n%b\n" % sentence)
    assert "Traceback" not in capfd.readouterr().err


def test_every_statement_is_in_the_history_without_its_secrets(server, execute):
    execute(
        "select :day as day", Parameters=[{"name": "day", "value": "secret day"}], StatementName="in history"
    )
    execute("copy t from 's3://b/k' credentials 'aws_secret_access_key=hunter2'")
    execute("create user somebody password 'hunter2'")
    statements = _get(server, "/_local/statements")
    named = next(one for one in statements if one["name"] == "in history")

    assert named["status"] == "FINISHED"
    assert named["sqls"] == ["select :day as day"]
    assert named["parameters"] == ["day"]
    assert (named["user"], named["database"], named["rows"]) == ("awsuser", "dev", 1)
    assert named["created"] <= named["ended"]
    assert "secret day" not in json.dumps(statements)
    assert "hunter2" not in json.dumps(statements)


def test_an_unknown_control_path_names_those_that_exist(server):
    with pytest.raises(urllib.error.HTTPError) as error:
        _get(server, "/_local/nothing")
    assert error.value.code == 404
    assert "GET /_local/health" in json.loads(error.value.read())["error"]


def test_reset_goes_back_to_the_start(server, aws, execute, login, slow_query):
    data_api = aws("redshift-data")
    aws("s3").create_bucket(Bucket="gone")
    execute("create table gone (n int)")
    running = data_api.execute_statement(Sql=slow_query, **WHERE)["Id"]

    assert _post(server, "/_local/reset")["status"] == "ok"
    assert _get(server, "/_local/statements") == []
    with pytest.raises(data_api.exceptions.ResourceNotFoundException):
        data_api.describe_statement(Id=running)
    assert aws("s3").list_buckets()["Buckets"] == []
    assert execute("select * from gone")["Status"] == "FAILED"
    assert execute("select 1")["Status"] == "FINISHED"
    secret = aws("secretsmanager").get_secret_value(SecretId="redshift-etl/awsuser")["SecretString"]
    assert json.loads(secret) == login


def test_a_taken_port_is_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            PortTakenError, match=f"Cannot listen on 127.0.0.1:{port}: Address already in use"
        ):
            Server(port=port).start()


def _start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "local_aws", *arguments],
        env=os.environ | {"PYTHONPATH": str(INCLUDE)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_says_how_to_connect_and_ends_at_a_signal(number, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    process = _start("--port", "0", "--wire-port", "0")
    said = ""
    while "psql" not in said:
        said += process.stdout.readline()
    endpoint = re.search(r"AWS_ENDPOINT_URL=(\S+)", said)[1]
    client = boto3.client(
        "redshift-data",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    client.execute_statement(Sql="create table n (i int)", WaitTimeSeconds=10, **WHERE)
    client.execute_statement(
        Sql=f"insert into n values {','.join(['(1)'] * 1000)}", WaitTimeSeconds=10, **WHERE
    )
    client.execute_statement(
        Sql="select sum(a.i + c.i) from n a, n b, n c, n d", StatementName="slow", **WHERE
    )

    process.send_signal(number)
    out, log = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "--cluster-identifier redshift-etl" in said + out
    assert re.search(r"slow ABORTED rows=0 \d+ms select sum", log)
    assert "Traceback" not in log
    assert list(tmp_path.iterdir()) == []


def test_the_command_refuses_other_machines_unless_told():
    process = _start("--host", "0.0.0.0", "--port", "0")
    _, log = process.communicate(timeout=30)
    assert process.returncode == 2
    assert re.fullmatch(r"--host 0\.0\.0\.0 is not a loopback address .* add --allow-remote if .*\.\n", log)


def test_the_command_ends_with_one_sentence_when_its_port_is_taken(server):
    process = _start("--port", server.endpoint_url.rpartition(":")[2])
    _, log = process.communicate(timeout=30)
    assert process.returncode == 1
    assert re.fullmatch(
        r"Cannot listen on 127\.0\.0\.1:\d+: Address already in use; choose another port\.\n", log
    )


@pytest.fixture(scope="module")
def plain():
    """The endpoint of a process that was not started for tests."""
    process = _start("--port", "0", "--empty")
    while not (found := re.search(r"AWS_ENDPOINT_URL=(\S+)", process.stdout.readline())):
        pass
    yield found[1]
    process.terminate()
    process.communicate(timeout=30)


@pytest.mark.parametrize(
    ("method", "path", "sentence"),
    [
        ("GET", "_local/faults", "Faults are off: start local_aws with --faults."),
        ("POST", "_local/faults", "Faults are off: start local_aws with --faults."),
        ("DELETE", "_local/faults", "Faults are off: start local_aws with --faults."),
        ("GET", "_local/statements", "GET /_local/statements is off: start local_aws with --faults."),
        ("POST", "_local/reset", "POST /_local/reset is off: start local_aws with --faults."),
        ("POST", "moto-api/reset", "POST /moto-api/reset is off: start local_aws with --faults."),
        ("GET", "moto-api/data.json", "GET /moto-api/data.json is off: start local_aws with --faults."),
    ],
)
def test_what_is_for_tests_is_off_unless_asked_for(plain, method, path, sentence):
    client = boto3.client(
        "s3", endpoint_url=plain, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    client.create_bucket(Bucket="still-there")
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(urllib.request.Request(f"{plain}/{path}", method=method))
    assert error.value.code == 403
    assert json.loads(error.value.read()) == {"error": sentence}
    assert [bucket["Name"] for bucket in client.list_buckets()["Buckets"]] == ["still-there"]
