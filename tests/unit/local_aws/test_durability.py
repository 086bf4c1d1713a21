"""An account with a data folder: what is there again after the process was killed, or stopped and started."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from datetime import timedelta
from pathlib import Path

import boto3
import psycopg
import pytest
from botocore.config import Config

from local_aws.durability import DataFolderError
from local_aws.history import LOST, History
from local_aws.redshift_data import models
from local_aws.server import Server

INCLUDE = Path(__file__).parents[3] / "include"
WHERE = {"ClusterIdentifier": "redshift-etl", "Database": "dev", "DbUser": "awsuser"}
ROLE = "iam_role 'arn:aws:iam::123456789012:role/redshift-etl-warehouse'"
FIRST = "insert into sales (day, amount) values ('2003-01-01', 5)"
COPY = f"copy sales (day, amount) from 's3://lake/in/' {ROLE} csv"


class Account:
    """Clients of one process."""

    def __init__(self, endpoint_url):
        self.endpoint_url = endpoint_url

    def client(self, service):
        where = {"endpoint_url": self.endpoint_url, "region_name": "us-east-1"}
        once = Config(retries={"total_max_attempts": 1})
        return boto3.client(
            service, aws_access_key_id="any", aws_secret_access_key="any", config=once, **where
        )

    def run(self, *sqls, **more):
        data_api = self.client("redshift-data")
        wanted = {**WHERE, "WaitTimeSeconds": 30, **more}
        if len(sqls) == 1:
            statement = data_api.execute_statement(Sql=sqls[0], **wanted)
        else:
            statement = data_api.batch_execute_statement(Sqls=list(sqls), **wanted)
        return data_api.describe_statement(Id=statement["Id"])

    def rows(self, sql):
        described = self.run(sql)
        assert described["Status"] == "FINISHED", described
        return self.result(described["Id"])

    def result(self, statement_id):
        records = self.client("redshift-data").get_statement_result(Id=statement_id)["Records"]
        return [tuple(next(iter(field.values())) for field in row) for row in records]

    def local(self, method, path, body=None):
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.endpoint_url}/_local/{path}", method=method, data=content)
        with urllib.request.urlopen(request) as response:
            return json.load(response)


@pytest.fixture
def process(tmp_path):
    """Starts `python -m local_aws` on the folder; whatever is left is killed at the end."""
    started = []

    def start():
        command = [sys.executable, "-m", "local_aws", "--port", "0", "--wire-port", "0", "--quiet"]
        command += ["--faults", "--data-dir", str(tmp_path / "data")]
        environment = os.environ | {"PYTHONPATH": str(INCLUDE)}
        one = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        started.append(one)
        for line in one.stdout:
            if found := re.search(r"AWS_ENDPOINT_URL=(\S+)", line):
                return one, Account(found[1])
        pytest.fail("local_aws ended before it was ready.")

    yield start
    for one in started:
        one.kill()
        one.wait()
        one.stdout.close()


@pytest.fixture
def restarted(tmp_path):
    """Opens the account in this process; each time as another process would."""

    def start(**settings):
        return Server(data_folder=tmp_path / "data", faults=True, **settings)

    return start


def test_a_statement_killed_in_mid_copy_is_lost_and_its_retry_finds_all_that_was_committed(process):
    killed, aws = process()
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="lake")
    s3.put_object(Bucket="lake", Key="in/day.csv", Body=b"2003-01-02,7\n2003-01-03,8\n")
    aws.client("glue").create_database(DatabaseInput={"Name": "catalogue"})
    login = aws.client("secretsmanager").get_secret_value(SecretId="redshift-etl/awsuser")
    assert aws.run("create table sales (id int identity(1, 1), day date, amount int)")["Status"] == "FINISHED"
    assert aws.run("insert into sales (day, amount) values ('2002-12-31', 4)")["Status"] == "FINISHED"
    before = aws.run("select amount from sales", StatementName="before", ClientToken="a" * 32)
    aws.local("POST", "faults", {"service": "redshift", "action": "^copy", "delay": 600})
    running = aws.client("redshift-data").batch_execute_statement(
        Sqls=[FIRST, COPY], StatementName="load", **WHERE
    )["Id"]
    while not aws.local("GET", "faults")[0]["hits"]:
        time.sleep(0.05)

    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    _, aws = process()

    lost = aws.client("redshift-data").describe_statement(Id=running)
    assert (lost["Status"], lost["Error"]) == ("FAILED", LOST)
    assert [one["Status"] for one in lost["SubStatements"]] == ["FAILED", "ABORTED"]
    assert lost["SubStatements"][0]["Error"] == LOST
    assert aws.result(before["Id"]) == [(4,)]
    assert aws.rows("select amount from sales") == [(4,)]
    assert aws.client("glue").get_database(Name="catalogue")["Database"]["Name"] == "catalogue"
    again = aws.client("secretsmanager").get_secret_value(SecretId="redshift-etl/awsuser")
    assert again["ARN"] == login["ARN"]
    passwords = [json.loads(one["SecretString"])["password"] for one in (login, again)]
    assert passwords[0] == passwords[1]

    assert aws.run(FIRST, COPY, StatementName="load")["Status"] == "FINISHED"
    assert aws.rows("select amount from sales order by amount") == [(4,), (5,), (7,), (8,)]
    told = aws.local("GET", "statements")
    assert [(one["status"], one["committed"]) for one in told if one["name"] == "load"] == [
        ("FAILED", False),
        ("FINISHED", True),
    ]
    repeated = aws.client("redshift-data").execute_statement(
        Sql="select amount from sales", StatementName="before", ClientToken="a" * 32, **WHERE
    )
    assert repeated["Id"] == before["Id"]


def test_a_commit_whose_news_was_lost_is_told_after_the_restart(restarted, monkeypatch):
    keep = History.keep
    with restarted() as server:
        aws = Account(server.endpoint_url)
        aws.run("create table counted (n int)")
        # As if the process had been killed after the COMMIT and before anybody was told.
        monkeypatch.setattr(
            History, "keep", lambda self, one: None if one.record()["ended"] else keep(self, one)
        )
        batch = aws.run("insert into counted values (1)", "select 1", StatementName="committed")["Id"]
        failed = aws.run("insert into counted values (2)", "select 1/0", StatementName="failed")["Id"]
        apart = aws.run("insert into counted values (3)", "select 1/0", ExecutionMode="AUTO_COMMIT")["Id"]
    monkeypatch.setattr(History, "keep", keep)

    with restarted() as server:
        aws = Account(server.endpoint_url)
        describe = aws.client("redshift-data").describe_statement
        assert describe(Id=batch)["Status"] == "FINISHED"
        assert [one["Status"] for one in describe(Id=batch)["SubStatements"]] == ["FINISHED", "FINISHED"]
        assert (describe(Id=failed)["Status"], describe(Id=failed)["Error"]) == ("FAILED", LOST)
        assert describe(Id=apart)["Status"] == "FAILED"
        assert aws.rows("select n from counted order by n") == [(1,), (3,)]
        told = {one["name"]: one["committed"] for one in aws.local("GET", "statements")}
        assert (told["committed"], told["failed"]) == (True, False)


def test_every_kind_of_s3_object_is_there_again_to_the_second(restarted):
    def state(aws):
        s3 = aws.client("s3")
        listed = s3.list_objects_v2(Bucket="lake").get("Contents", [])
        bodies = {one["Key"]: s3.get_object(Bucket="lake", Key=one["Key"])["Body"].read() for one in listed}
        versions = s3.list_object_versions(Bucket="versions")["Versions"]
        return (
            [(one["Key"], one["ETag"], one["Size"], one["LastModified"]) for one in listed],
            bodies,
            [(one["Key"], one["VersionId"], one["IsLatest"], one["LastModified"]) for one in versions],
            s3.head_object(Bucket="lake", Key="a b/ü'%2F=1.txt")["Metadata"],
            s3.get_object_tagging(Bucket="lake", Key="tagged")["TagSet"],
        )

    with restarted() as server:
        aws = Account(server.endpoint_url)
        s3 = aws.client("s3")
        for bucket in ("lake", "versions"):
            s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
        for number in range(3):
            s3.put_object(Bucket="versions", Key="kept", Body=b"%d" % number)
            s3.put_object(Bucket="lake", Key="overwritten", Body=b"%d" % number)
        s3.put_object(Bucket="lake", Key="a b/ü'%2F=1.txt", Body=b"x" * 300_000, Metadata={"my_key": "v"})
        s3.copy_object(Bucket="lake", Key="copied", CopySource="lake/overwritten")
        s3.put_object(Bucket="lake", Key="overwritten", Body=b"after the copy")
        s3.put_object(Bucket="lake", Key="deleted", Body=b"")
        s3.delete_object(Bucket="lake", Key="deleted")
        s3.put_object(Bucket="lake", Key="tagged", Body=b"")
        s3.put_object_tagging(Bucket="lake", Key="tagged", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
        upload = s3.create_multipart_upload(Bucket="lake", Key="big")["UploadId"]
        part = s3.upload_part(Bucket="lake", Key="big", UploadId=upload, PartNumber=1, Body=b"p" * 5_300_000)
        s3.complete_multipart_upload(
            Bucket="lake",
            Key="big",
            UploadId=upload,
            MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
        )
        before = state(aws)
    with restarted() as server:
        assert state(Account(server.endpoint_url)) == before
    assert before[1]["copied"] == b"2"
    assert len(before[2]) == 3


def test_an_object_overwritten_many_times_is_replayed_once(restarted, tmp_path):
    with restarted() as server:
        s3 = Account(server.endpoint_url).client("s3")
        s3.create_bucket(Bucket="lake")
        for number in range(20):
            s3.put_object(Bucket="lake", Key="latest.json", Body=b"%d" % number)
    with sqlite3.connect(tmp_path / "data" / "account.sqlite") as database:
        told = database.execute("select body from request where object = 'lake/latest.json'").fetchall()
    database.close()
    assert told == [(b"19",)]


def test_objects_deleted_together_are_forgotten_one_by_one(restarted, tmp_path):
    odd = "a b/ü'%2F+=1.txt"

    def delete(s3, bucket, *keys):
        return s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})

    def state(s3):
        listed = s3.list_objects_v2(Bucket="lake")["Contents"]
        versions = s3.list_object_versions(Bucket="versions")
        return (
            [(one["Key"], one["LastModified"]) for one in listed],
            [(one["Key"], one["VersionId"]) for one in versions["Versions"] + versions["DeleteMarkers"]],
        )

    with restarted() as server:
        s3 = Account(server.endpoint_url).client("s3")
        for bucket in ("lake", "versions"):
            s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
        for number in range(10):
            for key in ("latest/000", odd, f"kept/{number}", f"gone/{number}"):
                s3.put_object(Bucket="lake", Key=key, Body=b"%d" % number)
            delete(s3, "lake", "latest/000", odd, f"gone/{number}", "never there")
        s3.put_object(Bucket="lake", Key=odd, Body=b"again")
        for number in range(2):
            s3.put_object(Bucket="versions", Key="kept", Body=b"%d" % number)
            delete(s3, "versions", "kept")
        before = state(s3)
    with sqlite3.connect(tmp_path / "data" / "account.sqlite") as database:
        told = database.execute(
            "select object, operation from request "
            "where object like 'lake/%' and object not like '%/_' order by object"
        ).fetchall()
        whole = database.execute("select count(*) from request where operation = 'DeleteObjects'").fetchone()
    database.close()
    assert told == [
        (f"lake/{odd}".encode().decode("latin-1"), "PutObject"),
        ("lake/latest/000", "DeleteObject"),
        ("lake/never there", "DeleteObject"),
    ]
    assert whole == (2,)
    with restarted() as server:
        assert state(Account(server.endpoint_url).client("s3")) == before
    assert [key for key, _ in before[0]] == [odd, *(f"kept/{number}" for number in range(10))]


def test_objects_that_could_not_be_deleted_are_there_again(restarted):
    keep = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:DeleteObject",
        "Resource": "arn:aws:s3:::lake/denied",
    }
    for number in range(2):
        with restarted() as server:
            s3 = Account(server.endpoint_url).client("s3")
            if number == 0:
                s3.create_bucket(Bucket="lake")
                for key in ("denied", "free"):
                    s3.put_object(Bucket="lake", Key=key, Body=b"")
                s3.put_bucket_policy(Bucket="lake", Policy=json.dumps({"Statement": [keep]}))
                asked = {"Objects": [{"Key": "denied"}, {"Key": "free"}]}
                assert s3.delete_objects(Bucket="lake", Delete=asked)["Errors"][0]["Key"] == "denied"
            assert [one["Key"] for one in s3.list_objects_v2(Bucket="lake")["Contents"]] == ["denied"]


def test_queues_catalogues_and_reads_leave_what_they_should(restarted, tmp_path):
    with restarted() as server:
        aws = Account(server.endpoint_url)
        sns, sqs, glue = (aws.client(service) for service in ("sns", "sqs", "glue"))
        topic = sns.create_topic(Name="alerts")["TopicArn"]
        queue = sqs.create_queue(QueueName="alerts")["QueueUrl"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:alerts")
        for text in ("taken", "waiting"):
            sns.publish(TopicArn=topic, Message=text)
            if text == "taken":
                (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"]
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        glue.create_database(DatabaseInput={"Name": "lake"})
        for _ in range(5):
            glue.get_databases()
            sqs.receive_message(
                QueueUrl=queue,
                MaxNumberOfMessages=1,
                VisibilityTimeout=0,
            )
        subscriptions = sns.list_subscriptions()["Subscriptions"]
        databases = glue.get_databases()["DatabaseList"]
    with restarted() as server:
        aws = Account(server.endpoint_url)
        assert aws.client("sns").list_subscriptions()["Subscriptions"] == subscriptions
        assert aws.client("glue").get_databases()["DatabaseList"] == databases
        messages = aws.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
        assert [json.loads(one["Body"])["Message"] for one in messages] == ["waiting"]
    with sqlite3.connect(tmp_path / "data" / "account.sqlite") as database:
        operations = [name for (name,) in database.execute("select operation from request")]
    database.close()
    assert not {name for name in operations if name.startswith(("Get", "List", "Describe"))}


def test_databases_workgroups_and_identities_go_on(restarted):
    workgroup = {"WorkgroupName": "redshift-etl", "Database": "dev", "WaitTimeSeconds": 30}
    with restarted() as server:
        aws = Account(server.endpoint_url)
        data_api = aws.client("redshift-data")
        for sql in (
            "create table numbered (id bigint identity(10, 5), word varchar(9))",
            "insert into numbered (word) values ('one')",
            "create view words as select word from numbered",
            "create materialized view counted as select count(*) as n from numbered",
            'create database "odd name%"',
        ):
            assert aws.run(sql)["Status"] == "FINISHED"
        assert aws.run("create table there (n int)", Database="odd name%")["Status"] == "FINISHED"
        data_api.execute_statement(Sql="create table serverless as select 1 as n", **workgroup)
    for _ in range(2):
        with restarted() as server:
            aws = Account(server.endpoint_url)
            assert aws.run("insert into numbered (word) values ('more')")["Status"] == "FINISHED"
            assert aws.run("create table another (id int identity(1, 1), n int)")["Status"] == "FINISHED"
            assert aws.run("drop table another")["Status"] == "FINISHED"
            assert aws.run("select * from there", Database="odd name%")["Status"] == "FINISHED"
            found = aws.client("redshift-data").execute_statement(Sql="select n from serverless", **workgroup)
            assert aws.result(found["Id"]) == [(1,)]
    with restarted() as server:
        aws = Account(server.endpoint_url)
        assert aws.rows("select id, word from numbered order by id") == [
            (10, "one"),
            (15, "more"),
            (20, "more"),
        ]
        assert aws.rows("select count(*) from words") == [(3,)]
        assert aws.rows("select n from counted") == [(1,)]


def test_a_cluster_made_anew_is_empty_after_a_restart_too(restarted):
    new = {
        "ClusterIdentifier": "redshift-etl",
        "NodeType": "ra3.xlplus",
        "ClusterType": "single-node",
        "DBName": "dev",
        "MasterUsername": "awsuser",
        "MasterUserPassword": "Aa1-other",
    }
    with restarted() as server:
        aws = Account(server.endpoint_url)
        assert aws.run("create table gone (n int)")["Status"] == "FINISHED"
        aws.client("redshift").delete_cluster(ClusterIdentifier="redshift-etl", SkipFinalClusterSnapshot=True)
        aws.client("redshift").create_cluster(**new)
    with restarted() as server:
        assert Account(server.endpoint_url).run("select * from gone")["Status"] == "FAILED"


def test_the_wire_s_statements_and_its_new_port_are_known(restarted):
    def connect(server, aws):
        secret = aws.client("secretsmanager").get_secret_value(SecretId="redshift-etl/awsuser")
        login = json.loads(secret["SecretString"])
        assert login["port"] == server.wire_port
        return psycopg.connect(
            host="127.0.0.1",
            port=login["port"],
            user=login["username"],
            password=login["password"],
            dbname="dev",
            autocommit=True,
            application_name="by wire",
        )

    for _ in range(2):
        with restarted(wire_port=0) as server:
            aws = Account(server.endpoint_url)
            with connect(server, aws) as connection:
                connection.execute("begin")
                connection.execute("create table if not exists wired (n int)")
                connection.execute("commit")
                connection.execute("begin")
                connection.execute("insert into wired values (1)")
                connection.execute("rollback")
            told = [one for one in aws.local("GET", "statements") if one["name"] == "by wire"]
    assert [one["committed"] for one in told] == [True, True, True, False, False, False] * 2
    assert {one["status"] for one in told} == {"FINISHED"}


def test_job_runs_are_known_and_those_that_went_on_are_lost(restarted):
    def start(aws, name, script):
        aws.client("s3").put_object(Bucket="scripts", Key=f"{name}.py", Body=script)
        aws.client("glue").create_job(
            Name=name,
            Role="r",
            Command={
                "Name": "pythonshell",
                "PythonVersion": "3.9",
                "ScriptLocation": f"s3://scripts/{name}.py",
            },
        )
        return aws.client("glue").start_job_run(JobName=name)["JobRunId"]

    def state(aws, name, run):
        return aws.client("glue").get_job_run(JobName=name, RunId=run)["JobRun"]

    with restarted() as server:
        aws = Account(server.endpoint_url)
        aws.client("s3").create_bucket(Bucket="scripts")
        done = start(aws, "done", b"print('done')")
        while state(aws, "done", done)["JobRunState"] in {"STARTING", "RUNNING"}:
            time.sleep(0.1)
        kept = state(aws, "done", done)
        going = start(aws, "going", b"import time; time.sleep(600)")
        # As if the process were killed: what was kept when the run started is not written again.
        server.glue_jobs.run("going", going).keep = lambda _: None
    with restarted() as server:
        aws = Account(server.endpoint_url)
        assert state(aws, "done", done) == kept
        lost = state(aws, "going", going)
        assert (lost["JobRunState"], lost["ErrorMessage"]) == (
            "FAILED",
            "The run was lost when local_aws ended; start it again.",
        )


def test_reset_empties_the_folder_too(restarted):
    with restarted() as server:
        aws = Account(server.endpoint_url)
        aws.client("s3").create_bucket(Bucket="gone")
        aws.run("create table gone (n int)")
        aws.local("POST", "reset")
        assert aws.run("select 1")["Status"] == "FINISHED"
    with restarted() as server:
        aws = Account(server.endpoint_url)
        assert aws.client("s3").list_buckets()["Buckets"] == []
        assert aws.run("select * from gone")["Status"] == "FAILED"
        assert aws.local("GET", "statements")[0]["sqls"] == ["select 1"]


def test_a_first_start_that_was_not_whole_begins_anew(restarted, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(
            Server, "_create_default", lambda self: self.clusters.client("s3").create_bucket(Bucket="half")
        )
        with restarted():
            pass
    with restarted() as server:
        aws = Account(server.endpoint_url)
        assert aws.client("s3").list_buckets()["Buckets"] == []
        assert aws.run("select 1")["Status"] == "FINISHED"


def test_a_folder_is_for_one_process_at_a_time(restarted):
    with (
        restarted(),
        pytest.raises(DataFolderError, match=r"The data folder .*/data is in use by another local_aws; stop"),
    ):
        restarted().start()


def test_the_command_ends_with_one_sentence_when_its_folder_is_in_use(restarted, tmp_path):
    with restarted():
        command = [sys.executable, "-m", "local_aws", "--port", "0", "--data-dir", str(tmp_path / "data")]
        environment = os.environ | {"PYTHONPATH": str(INCLUDE)}
        ended = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
    assert ended.returncode == 1
    assert re.fullmatch(
        r"The data folder \S+ is in use by another local_aws; stop it or .*\.\n", ended.stderr
    )


def _statements(folder):
    with sqlite3.connect(folder / "data" / "account.sqlite") as database:
        told = database.execute("select content from kept where kind = 'statement'").fetchall()
    database.close()
    return [content for (content,) in told]


@pytest.mark.parametrize(
    "limit", [("RETENTION", timedelta(0)), ("MAX_RESULT_BYTES", 8)], ids=["after a day", "too many"]
)
def test_a_result_that_nobody_can_get_any_more_is_nowhere_kept(restarted, tmp_path, monkeypatch, limit):
    with restarted() as server:
        aws = Account(server.endpoint_url)
        aws.run("select repeat('result ', 9)", StatementName="old")
        assert b"result result" in b"".join(_statements(tmp_path))
        monkeypatch.setattr(models, *limit)
        aws.client("redshift-data").execute_statement(Sql="select 123456789", WaitTimeSeconds=30, **WHERE)
        while server.redshift_data._active:  # its thread forgets after the answer
            time.sleep(0.01)
        server.redshift_data.statements()  # waits for the lock under which it forgets
        (old,) = [one for one in server._history._statements if one.request.name == "old"]
        assert old.queries[0].result is None
        assert b"result result" not in b"".join(_statements(tmp_path))
    with restarted() as server:
        told = Account(server.endpoint_url).local("GET", "statements")
        assert [(one["name"], one["status"], one["rows"]) for one in told] == [
            ("old", "FINISHED", 1),
            (None, "FINISHED", 1),
        ]


def test_a_result_that_became_too_old_between_two_processes_is_forgotten_at_the_start(
    restarted, tmp_path, monkeypatch
):
    with restarted() as server:
        Account(server.endpoint_url).run("select repeat('result ', 9)")
    assert b"result result" in b"".join(_statements(tmp_path))
    monkeypatch.setattr(models, "RETENTION", timedelta(0))
    with restarted():
        assert b"result result" not in b"".join(_statements(tmp_path))


def test_only_the_newest_statements_are_kept(restarted, tmp_path, monkeypatch):
    monkeypatch.setattr("local_aws.history.KEPT", 2)
    with restarted() as server:
        aws = Account(server.endpoint_url)
        for number in range(4):
            aws.run(f"select {number}")
        assert [one["sqls"] for one in aws.local("GET", "statements")] == [["select 2"], ["select 3"]]
        assert len(_statements(tmp_path)) == 2
        # A forgotten one that is shed later is not kept anew.
        server._history.keep(server.redshift_data.statements()[-1])
        assert len(_statements(tmp_path)) == 2
    for _ in range(2):
        with restarted() as server:
            told = Account(server.endpoint_url).local("GET", "statements")
            assert [one["sqls"] for one in told] == [["select 2"], ["select 3"]]


def test_a_folder_of_another_version_is_left_alone(restarted, tmp_path):
    (tmp_path / "data").mkdir()
    with sqlite3.connect(tmp_path / "data" / "account.sqlite") as database:
        database.execute("pragma user_version = 99")
    database.close()
    with pytest.raises(DataFolderError, match=r"was written by another version of local_aws \(format 99"):
        restarted().start()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        DataFolderError, match=r"^The data folder .*/file/data cannot be used: Not a directory\.$"
    ):
        Server(data_folder=tmp_path / "file" / "data").start()
