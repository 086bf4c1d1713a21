"""Who may log in where: clusters, workgroups, database users, secrets."""

import json

import pytest

WHERE = {"ClusterIdentifier": "redshift-etl", "Database": "dev"}


def _run(data_api, **request):
    statement = data_api.execute_statement(Sql="select current_user", WaitTimeSeconds=10, **request)["Id"]
    return data_api.describe_statement(Id=statement)


def test_the_default_cluster_is_there_and_available(aws):
    (cluster,) = aws("redshift").describe_clusters(ClusterIdentifier="redshift-etl")["Clusters"]
    assert (cluster["ClusterStatus"], cluster["DBName"], cluster["MasterUsername"]) == (
        "available",
        "dev",
        "awsuser",
    )


def test_an_unknown_user_fails_the_statement(data_api):
    described = _run(data_api, DbUser="nobody", **WHERE)
    assert described["Status"] == "FAILED"
    assert described["Error"] == 'FATAL: user "nobody" does not exist'


def test_an_unknown_database_fails_the_statement(data_api):
    described = _run(data_api, ClusterIdentifier="redshift-etl", Database="nowhere", DbUser="awsuser")
    assert described["Status"] == "FAILED"
    assert described["Error"] == 'FATAL: database "nowhere" does not exist'


def test_a_connection_that_is_refused_aborts_every_statement_of_a_batch(data_api):
    statement = data_api.batch_execute_statement(
        Sqls=["select 1"], DbUser="nobody", WaitTimeSeconds=10, **WHERE
    )
    described = data_api.describe_statement(Id=statement["Id"])
    assert described["Status"] == "FAILED"
    assert [sub["Status"] for sub in described["SubStatements"]] == ["ABORTED"]


def test_without_a_user_the_caller_is_the_superuser(data_api):
    assert _run(data_api, **WHERE)["DbUser"] == "awsuser"


def test_the_secret_of_the_default_cluster_logs_in(aws, data_api, login):
    arn = aws("secretsmanager").describe_secret(SecretId="redshift-etl/awsuser")["ARN"]
    described = _run(data_api, SecretArn=arn, **WHERE)

    assert described["Status"] == "FINISHED"
    assert described["SecretArn"] == arn
    assert described["DbUser"] == "awsuser"
    assert set(login) >= {"username", "password", "host", "port", "dbname", "engine"}


def test_a_secret_with_the_wrong_password_fails_the_statement(aws, data_api):
    content = json.dumps({"username": "awsuser", "password": "guess"})
    arn = aws("secretsmanager").create_secret(Name="wrong", SecretString=content)["ARN"]
    described = _run(data_api, SecretArn=arn, **WHERE)

    assert described["Status"] == "FAILED"
    assert described["Error"] == 'FATAL: password authentication failed for user "awsuser"'
    with pytest.raises(data_api.exceptions.ValidationException, match="password authentication failed"):
        data_api.list_databases(SecretArn=arn, **WHERE)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"password": "x"}', "has no key username"),
        ('{"username": "awsuser"}', "has no key password"),
        ("hunter2", "is not a JSON object"),
        ('["awsuser"]', "is not a JSON object"),
    ],
)
def test_a_secret_without_a_login_is_refused(aws, data_api, content, message):
    name = f"broken-{abs(hash(content))}"
    aws("secretsmanager").create_secret(Name=name, SecretString=content)
    with pytest.raises(data_api.exceptions.ValidationException, match=message) as error:
        _run(data_api, SecretArn=name, **WHERE)
    assert "hunter2" not in str(error.value)


def test_a_secret_that_does_not_exist_is_refused(data_api):
    with pytest.raises(data_api.exceptions.ValidationException, match=r"Secret nowhere: .*can't find"):
        _run(data_api, SecretArn="nowhere", **WHERE)


def test_a_workgroup_has_a_warehouse_of_its_own(data_api, execute):
    execute("create table of_the_cluster (n int)")
    submitted = data_api.execute_statement(
        Sql="select * from of_the_cluster", WorkgroupName="redshift-etl", Database="dev", WaitTimeSeconds=10
    )
    assert submitted["WorkgroupName"] == "redshift-etl"
    assert "ClusterIdentifier" not in submitted
    assert submitted["Status"] == "FAILED"


def test_a_cluster_created_later_is_found_and_one_deleted_is_not(aws, data_api):
    redshift = aws("redshift")
    where = {"ClusterIdentifier": "later", "Database": "sales", "DbUser": "chief"}
    create = {
        "ClusterIdentifier": "later",
        "NodeType": "ra3.large",
        "MasterUsername": "chief",
        "MasterUserPassword": "Secret99",
        "DBName": "sales",
    }
    redshift.create_cluster(**create)
    assert _run(data_api, **where)["Status"] == "FINISHED"
    data_api.execute_statement(Sql="create table t (n int)", WaitTimeSeconds=10, **where)
    redshift.delete_cluster(ClusterIdentifier="later", SkipFinalClusterSnapshot=True)
    with pytest.raises(data_api.exceptions.ValidationException, match="doesn't exist in this region"):
        _run(data_api, **where)

    redshift.create_cluster(**create)
    submitted = data_api.execute_statement(Sql="select * from t", WaitTimeSeconds=10, **where)
    assert submitted["Status"] == "FAILED"


def test_a_paused_cluster_answers_no_query_until_it_is_resumed(aws, data_api):
    redshift = aws("redshift")
    redshift.pause_cluster(ClusterIdentifier="redshift-etl")
    with pytest.raises(data_api.exceptions.ValidationException):
        _run(data_api, DbUser="awsuser", **WHERE)
    redshift.resume_cluster(ClusterIdentifier="redshift-etl")
    assert _run(data_api, DbUser="awsuser", **WHERE)["Status"] == "FINISHED"
