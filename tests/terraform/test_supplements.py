"""What local_aws adds to moto for Terraform, seen through boto3 and plain HTTP."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from local_aws.server import Server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture(scope="module")
def aws(server: Server) -> Callable[[str], Any]:
    def client(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=server.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

    return client


@pytest.fixture
def mwaa(server: Server) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Calls MWAA as Terraform does: signed for `airflow`, with an absolute address in the request line."""

    def call(method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        content = json.dumps(body).encode() if body is not None else None
        signed = AWSRequest(method, f"http://api.mwaa.test{path}", data=content)
        SigV4Auth(Credentials("local", "local"), "airflow", "us-east-1").add_auth(signed)
        request = urllib.request.Request(
            f"http://api.mwaa.test{path}", content, dict(signed.headers), method=method
        )
        request.set_proxy(server.endpoint_url.removeprefix("http://"), "http")
        try:
            with urllib.request.build_opener().open(request, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    return call


ENVIRONMENT = {
    "AirflowVersion": "3.3.1",
    "NetworkConfiguration": {"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]},
    "LoggingConfiguration": {"SchedulerLogs": {"Enabled": True, "LogLevel": "WARNING"}},
    "Tags": {"Stack": "one"},
}


def test_an_environment_is_created_read_changed_tagged_and_deleted(mwaa: Callable[..., Any]) -> None:
    status, created = mwaa("PUT", "/environments/one", ENVIRONMENT)
    assert (status, created["Arn"]) == (200, "arn:aws:airflow:us-east-1:123456789012:environment/one")

    _, answer = mwaa("GET", "/environments/one")
    environment = answer["Environment"]
    assert environment["Status"] == "AVAILABLE"
    assert environment["LoggingConfiguration"]["SchedulerLogs"] == {
        "Enabled": True,
        "LogLevel": "WARNING",
        "CloudWatchLogGroupArn": "arn:aws:logs:us-east-1:123456789012:log-group:airflow-one-Scheduler",
    }
    assert environment["LoggingConfiguration"]["TaskLogs"]["Enabled"]

    mwaa("PATCH", "/environments/one", {"MaxWorkers": 5})
    mwaa(
        "POST",
        "/tags/arn%3Aaws%3Aairflow%3Aus-east-1%3A123456789012%3Aenvironment%2Fone",
        {"Tags": {"More": "yes"}},
    )
    _, answer = mwaa("GET", "/environments/one")
    assert answer["Environment"]["MaxWorkers"] == 5
    assert answer["Environment"]["AirflowVersion"] == "3.3.1"
    assert answer["Environment"]["Tags"] == {"Stack": "one", "More": "yes"}

    assert mwaa("DELETE", "/environments/one")[0] == 200
    status, error = mwaa("GET", "/environments/one")
    assert (status, error["__type"]) == (404, "ResourceNotFoundException")


def test_an_environment_needs_two_subnets(mwaa: Callable[..., Any]) -> None:
    one_subnet = {**ENVIRONMENT, "NetworkConfiguration": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": []}}
    status, error = mwaa("PUT", "/environments/two", one_subnet)
    assert (status, error["__type"]) == (400, "ValidationException")
    assert "two availability zones" in error["message"]


def test_a_workgroup_needs_its_namespace_and_answers_with_every_parameter(aws: Callable[[str], Any]) -> None:
    serverless = aws("redshift-serverless")
    with pytest.raises(ClientError, match="Namespace house does not exist"):
        serverless.create_workgroup(workgroupName="work", namespaceName="house")
    serverless.create_namespace(
        namespaceName="house", dbName="dev", adminUsername="boss", manageAdminPassword=True
    )
    serverless.create_workgroup(
        workgroupName="work",
        namespaceName="house",
        configParameters=[{"parameterKey": "require_ssl", "parameterValue": "false"}],
    )
    workgroup = serverless.get_workgroup(workgroupName="work")["workgroup"]
    parameters = {item["parameterKey"]: item["parameterValue"] for item in workgroup["configParameters"]}
    assert parameters["require_ssl"] == "false"
    assert parameters["datestyle"] == "ISO, MDY"
    assert workgroup["status"] == "AVAILABLE"


def test_a_workgroup_takes_the_login_of_its_namespace(aws: Callable[[str], Any]) -> None:
    serverless = aws("redshift-serverless")
    namespace = serverless.create_namespace(
        namespaceName="shop", dbName="sales", adminUsername="boss", manageAdminPassword=True
    )["namespace"]
    serverless.create_workgroup(workgroupName="till", namespaceName="shop")
    data_api = aws("redshift-data")
    statement = data_api.execute_statement(
        Sql="select current_user",
        Database="sales",
        WorkgroupName="till",
        SecretArn=namespace["adminPasswordSecretArn"],
        WaitTimeSeconds=30,
    )
    result = data_api.get_statement_result(Id=statement["Id"])
    assert result["Records"] == [[{"stringValue": "boss"}]]

    serverless.delete_workgroup(workgroupName="till")
    serverless.delete_namespace(namespaceName="shop")
    with pytest.raises(ClientError, match="ResourceNotFound"):
        aws("secretsmanager").get_secret_value(SecretId=namespace["adminPasswordSecretArn"])


def test_a_cluster_keeps_its_password_in_a_secret_that_goes_with_it(aws: Callable[[str], Any]) -> None:
    redshift = aws("redshift")
    redshift.create_cluster(
        ClusterIdentifier="kept",
        NodeType="ra3.large",
        ClusterType="single-node",
        MasterUsername="boss",
        ManageMasterPassword=True,
    )
    cluster = redshift.describe_clusters(ClusterIdentifier="kept")["Clusters"][0]
    assert cluster["ClusterAvailabilityStatus"] == "Available"
    assert [node["NodeRole"] for node in cluster["ClusterNodes"]] == ["SHARED"]
    secret = aws("secretsmanager").get_secret_value(SecretId=cluster["MasterPasswordSecretArn"])
    assert secret["Name"] == "redshift!kept-boss"
    assert set(json.loads(secret["SecretString"])) == {"username", "password", "ssl"}

    redshift.delete_cluster(ClusterIdentifier="kept", SkipFinalClusterSnapshot=True)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        aws("secretsmanager").get_secret_value(SecretId="redshift!kept-boss")


def test_a_cluster_of_two_nodes_has_a_leader(aws: Callable[[str], Any]) -> None:
    nodes = aws("redshift").describe_clusters(ClusterIdentifier="redshift-etl")["Clusters"][0]["ClusterNodes"]
    assert [node["NodeRole"] for node in nodes] == ["LEADER", "COMPUTE-0", "COMPUTE-1"]


def test_a_parameter_group_tells_what_was_set_from_what_is_default(aws: Callable[[str], Any]) -> None:
    redshift = aws("redshift")
    redshift.create_cluster_parameter_group(
        ParameterGroupName="strict", ParameterGroupFamily="redshift-2.0", Description="TLS"
    )
    redshift.modify_cluster_parameter_group(
        ParameterGroupName="strict", Parameters=[{"ParameterName": "require_ssl", "ParameterValue": "true"}]
    )
    mine = redshift.describe_cluster_parameters(ParameterGroupName="strict", Source="user")["Parameters"]
    assert [(parameter["ParameterName"], parameter["ParameterValue"]) for parameter in mine] == [
        ("require_ssl", "true")
    ]
    everything = redshift.describe_cluster_parameters(ParameterGroupName="strict")["Parameters"]
    assert [p["ParameterValue"] for p in everything if p["ParameterName"] == "require_ssl"] == ["true"]
    redshift.reset_cluster_parameter_group(ParameterGroupName="strict", ResetAllParameters=True)
    assert (
        redshift.describe_cluster_parameters(ParameterGroupName="strict", Source="user")["Parameters"] == []
    )


def test_a_snapshot_schedule_belongs_to_a_cluster_until_it_is_taken_away(aws: Callable[[str], Any]) -> None:
    redshift = aws("redshift")
    redshift.create_snapshot_schedule(ScheduleIdentifier="nightly", ScheduleDefinitions=["cron(0 2 *)"])
    link = {"ClusterIdentifier": "redshift-etl", "ScheduleIdentifier": "nightly"}
    redshift.modify_cluster_snapshot_schedule(**link)
    found = redshift.describe_snapshot_schedules(ClusterIdentifier="redshift-etl")["SnapshotSchedules"]
    assert [(s["ScheduleIdentifier"], s["AssociatedClusterCount"]) for s in found] == [("nightly", 1)]
    redshift.modify_cluster_snapshot_schedule(**link, DisassociateSchedule=True)
    redshift.delete_snapshot_schedule(ScheduleIdentifier="nightly")
    with pytest.raises(ClientError, match="SnapshotScheduleNotFound"):
        redshift.delete_snapshot_schedule(ScheduleIdentifier="nightly")


def test_a_glue_connection_tells_its_type_and_can_be_changed_and_deleted(aws: Callable[[str], Any]) -> None:
    glue = aws("glue")
    connection = {
        "Name": "warehouse",
        "ConnectionType": "JDBC",
        "ConnectionProperties": {"JDBC_CONNECTION_URL": "jdbc:redshift://one:5439/dev"},
    }
    glue.create_connection(ConnectionInput=connection)
    assert glue.get_connection(Name="warehouse")["Connection"]["ConnectionType"] == "JDBC"
    connection["ConnectionProperties"] = {"JDBC_CONNECTION_URL": "jdbc:redshift://two:5439/dev"}
    glue.update_connection(Name="warehouse", ConnectionInput=connection)
    assert (
        glue.get_connection(Name="warehouse")["Connection"]["ConnectionProperties"]
        == connection["ConnectionProperties"]
    )
    glue.delete_connection(ConnectionName="warehouse")
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        glue.delete_connection(ConnectionName="warehouse")


def test_a_python_shell_job_has_no_execution_class_and_can_be_changed(aws: Callable[[str], Any]) -> None:
    glue = aws("glue")
    command = {"Name": "pythonshell", "ScriptLocation": "s3://scripts/one.py", "PythonVersion": "3.9"}
    glue.create_job(Name="shell", Role="arn:aws:iam::123456789012:role/glue", Command=command, Timeout=10)
    assert "ExecutionClass" not in glue.get_job(JobName="shell")["Job"]
    glue.update_job(JobName="shell", JobUpdate={"Role": "glue", "Command": command, "Timeout": 60})
    assert glue.get_job(JobName="shell")["Job"]["Timeout"] == 60


def test_a_budget_keeps_its_tags_and_tells_who_is_warned(aws: Callable[[str], Any]) -> None:
    budgets = aws("budgets")
    notification = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80.0}
    who = [{"SubscriptionType": "EMAIL", "Address": "team@example.com"}]
    budgets.create_budget(
        AccountId="123456789012",
        Budget={
            "BudgetName": "monthly",
            "BudgetLimit": {"Amount": "100", "Unit": "USD"},
            "TimeUnit": "MONTHLY",
            "BudgetType": "COST",
        },
        NotificationsWithSubscribers=[{"Notification": notification, "Subscribers": who}],
        ResourceTags=[{"Key": "Stack", "Value": "one"}],
    )
    arn = "arn:aws:budgets::123456789012:budget/monthly"
    assert budgets.list_tags_for_resource(ResourceARN=arn)["ResourceTags"] == [
        {"Key": "Stack", "Value": "one"}
    ]
    told = budgets.describe_subscribers_for_notification(
        AccountId="123456789012", BudgetName="monthly", Notification=notification
    )
    assert told["Subscribers"] == who


def test_a_tls_only_policy_lets_the_owner_in(aws: Callable[[str], Any]) -> None:
    s3 = aws("s3")
    s3.create_bucket(Bucket="tls-only")
    statement = {
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:*",
        "Resource": ["arn:aws:s3:::tls-only", "arn:aws:s3:::tls-only/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3.put_bucket_policy(
        Bucket="tls-only", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    s3.put_object(Bucket="tls-only", Key="a", Body=b"a")
    assert s3.head_object(Bucket="tls-only", Key="a")["ContentLength"] == 1


def test_a_rule_from_another_group_keeps_its_description(aws: Callable[[str], Any]) -> None:
    ec2 = aws("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="self", Description="self", VpcId=vpc)["GroupId"]
    source = {"GroupId": group, "Description": "among themselves"}
    ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": [source]}]
    )
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
    assert "among themselves" in [rule.get("Description") for rule in rules["SecurityGroupRules"]]


def test_a_data_set_can_be_read_granted_refreshed_and_deleted(aws: Callable[[str], Any]) -> None:
    quicksight = aws("quicksight")
    account = {"AwsAccountId": "123456789012"}
    manifest = {"Bucket": "data", "Key": "manifest.json"}
    source_of_files: dict[str, Any] = {
        "DataSourceId": "files",
        "Name": "Files",
        "Type": "S3",
        "DataSourceParameters": {"S3Parameters": {"ManifestFileLocation": manifest}},
    }
    aws("s3").create_bucket(Bucket="data")
    with pytest.raises(ClientError, match="Insufficient permission to access the manifest file"):
        quicksight.create_data_source(**account, **source_of_files)
    aws("s3").put_object(**manifest, Body=b"{}")
    source = quicksight.create_data_source(**account, **source_of_files)
    quicksight.create_data_set(
        **account,
        DataSetId="top",
        Name="Top",
        ImportMode="SPICE",
        PhysicalTableMap={
            "top": {
                "S3Source": {
                    "DataSourceArn": source["Arn"],
                    "InputColumns": [{"Name": "title", "Type": "STRING"}],
                }
            }
        },
    )
    data_set = quicksight.describe_data_set(**account, DataSetId="top")["DataSet"]
    assert data_set["OutputColumns"] == [{"Name": "title", "Type": "STRING"}]
    who = "arn:aws:quicksight:us-east-1:123456789012:user/default/analyst"
    quicksight.update_data_set_permissions(
        **account,
        DataSetId="top",
        GrantPermissions=[{"Principal": who, "Actions": ["quicksight:DescribeDataSet"]}],
    )
    permissions = quicksight.describe_data_set_permissions(**account, DataSetId="top")["Permissions"]
    assert [item["Principal"] for item in permissions] == [who]
    quicksight.create_ingestion(**account, DataSetId="top", IngestionId="first")
    ingestion = quicksight.describe_ingestion(**account, DataSetId="top", IngestionId="first")["Ingestion"]
    assert ingestion["IngestionStatus"] == "COMPLETED"
    quicksight.delete_data_set(**account, DataSetId="top")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        quicksight.describe_data_set(**account, DataSetId="top")


def test_what_moto_does_not_know_is_refused_at_once_and_in_words(aws: Callable[[str], Any]) -> None:
    with pytest.raises(ClientError, match=r"NotSupportedLocally.*describe_storage"):
        aws("redshift").describe_storage()
    with pytest.raises(ClientError, match=r"NotSupportedLocally.*describe_budget_performance_history"):
        aws("budgets").describe_budget_performance_history(AccountId="123456789012", BudgetName="monthly")


def test_a_reset_forgets_them_all(
    server: Server, aws: Callable[[str], Any], mwaa: Callable[..., Any]
) -> None:
    mwaa("PUT", "/environments/gone", ENVIRONMENT)
    aws("redshift-serverless").create_namespace(namespaceName="gone")
    server.reset()
    assert mwaa("GET", "/environments")[1] == {"Environments": []}
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        aws("redshift-serverless").get_namespace(namespaceName="gone")
