"""The account's Redshift clusters: which exist (moto knows), each one's warehouse, and who may log in."""

import json
import secrets
import threading
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError
from moto.backends import get_backend

from local_aws.durability import Store
from local_aws.redshift import Warehouse
from local_aws.redshift.warehouse import BeforeStatement
from local_aws.supplements.redshift_serverless import redshift_serverless_backends

ACCOUNT_ID = "123456789012"
REGION = "us-east-1"
CLUSTER_IDENTIFIER = "redshift-etl"
WORKGROUP_NAME = "redshift-etl"
DATABASE = "dev"
MASTER_USER = "awsuser"
SECRET_NAME = f"{CLUSTER_IDENTIFIER}/{MASTER_USER}"
WAREHOUSE_ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role/redshift-etl-warehouse"
WIRE_PORT = 5439


class EndpointNotFoundError(LookupError):
    """No available cluster or workgroup has this name."""


class SecretError(ValueError):
    """A secret does not exist or holds no user name and password."""


@dataclass(frozen=True)
class Credentials:
    """The login that a secret holds."""

    user: str
    password: str


@dataclass(frozen=True)
class Compute:
    """A cluster or a workgroup that answers queries."""

    name: str
    database: str
    master_user: str
    warehouse: Warehouse

    def __getstate__(self) -> dict[str, object]:
        """What a statement that is kept says of it."""
        return self.__dict__ | {"warehouse": None}


class Clusters:
    """Finds the warehouse of a cluster or workgroup and creates it at first use.

    Args:
        endpoint_url: Where this process serves S3, Secrets Manager and Redshift's control plane.
        wire_port: The port that the default cluster's secret names, or None without a wire listener.
        before_statement: What every warehouse calls before each statement.
        store: Where warehouses have their files; None keeps them in memory.

    Attributes:
        has_default: Whether the account began with the default cluster, and so has the default workgroup.
    """

    def __init__(
        self,
        endpoint_url: str,
        wire_port: int | None,
        before_statement: BeforeStatement | None = None,
        store: Store | None = None,
    ) -> None:
        self._endpoint_url = endpoint_url
        self._wire_port = wire_port
        self._before_statement = before_statement
        self._store = store
        # Redshift asks for a digit, an upper and a lower case letter.
        self._password = f"Aa1{secrets.token_urlsafe(18)}"
        self._warehouses: dict[tuple[str, str], tuple[object, Warehouse]] = {}
        self._lock = threading.Lock()
        self._secrets = self.client("secretsmanager")
        self.has_default = False

    def client(self, service: str) -> Any:
        """A boto3 client of this process's own endpoint."""
        return boto3.session.Session().client(  # type: ignore[call-overload]  # the service is not a literal
            service,
            endpoint_url=self._endpoint_url,
            region_name=REGION,
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106  # moto takes any
        )

    def create_default(self) -> None:
        """Creates the cluster `redshift-etl` and its secret, as a new account of this project has them.

        There is a workgroup `redshift-etl` from then on, too.
        """
        self.has_default = True
        self.client("redshift").create_cluster(
            ClusterIdentifier=CLUSTER_IDENTIFIER,
            ClusterType="multi-node",
            NodeType="ra3.xlplus",
            NumberOfNodes=2,
            DBName=DATABASE,
            MasterUsername=MASTER_USER,
            MasterUserPassword=self._password,
            Port=self._wire_port or WIRE_PORT,
            IamRoles=[WAREHOUSE_ROLE],
            PubliclyAccessible=False,
        )
        self._secrets.create_secret(Name=SECRET_NAME, SecretString=json.dumps(self._login()))

    def move_default(self) -> None:
        """Writes the wire's port of this process into the default cluster's secret, which is from another."""
        try:
            login = json.loads(self._secrets.get_secret_value(SecretId=SECRET_NAME)["SecretString"])
        except ClientError:
            return  # somebody deleted it
        port = self._wire_port or WIRE_PORT
        if login["port"] != port:
            login["port"] = port
            self._secrets.put_secret_value(SecretId=SECRET_NAME, SecretString=json.dumps(login))

    def _login(self) -> dict[str, object]:
        return {
            "username": MASTER_USER,
            "password": self._password,
            "engine": "redshift",
            "host": "127.0.0.1",
            "port": self._wire_port or WIRE_PORT,
            "dbname": DATABASE,
            "dbClusterIdentifier": CLUSTER_IDENTIFIER,
            "ssl": False,  # the wire listener speaks no TLS, and says so to clients that would insist
        }

    def cluster(self, identifier: str) -> Compute:
        """The provisioned cluster of this name.

        Raises:
            EndpointNotFoundError: It does not exist or is not available (paused).
        """
        cluster = get_backend("redshift")[ACCOUNT_ID][REGION].clusters.get(identifier)
        if cluster is None or cluster.status != "available":
            raise EndpointNotFoundError(identifier)
        warehouse = self._warehouse(
            ("cluster", identifier),
            cluster,
            f"{cluster.create_time:%Y%m%dT%H%M%S.%f}",
            (cluster.db_name, cluster.master_username),
        )
        return Compute(identifier, cluster.db_name, cluster.master_username, warehouse)

    def workgroup(self, name: str) -> Compute:
        """The serverless workgroup of this name: a created one, or the default one.

        Raises:
            EndpointNotFoundError: There is none.
        """
        namespace = redshift_serverless_backends[ACCOUNT_ID][REGION].namespace_of(name)
        if namespace is None and not (self.has_default and name == WORKGROUP_NAME):
            raise EndpointNotFoundError(name)
        database = str(namespace["dbName"]) if namespace else DATABASE
        user = str(namespace["adminUsername"]) if namespace else MASTER_USER
        made = str(namespace["namespaceId"]) if namespace else "always"
        warehouse = self._warehouse(("workgroup", name), namespace, made, (database, user))
        return Compute(name, database, user, warehouse)

    def behind_the_wire(self) -> Compute:
        """What the wire listener leads to: the cluster `redshift-etl`, else a workgroup of that name.

        Raises:
            EndpointNotFoundError: There is neither, or the cluster is paused.
        """
        if CLUSTER_IDENTIFIER in get_backend("redshift")[ACCOUNT_ID][REGION].clusters:
            return self.cluster(CLUSTER_IDENTIFIER)
        return self.workgroup(WORKGROUP_NAME)

    def _warehouse(
        self, key: tuple[str, str], cluster: object, made: str, names: tuple[str, str]
    ) -> Warehouse:
        """A cluster deleted and created again is another object of moto's, and gets an empty warehouse."""
        with self._lock:
            known, warehouse = self._warehouses.get(key, (None, None))
            if warehouse is None or known is not cluster:
                if warehouse is not None:
                    warehouse.close()
                database, user = names
                warehouse = Warehouse(
                    key[1],
                    endpoint_url=self._endpoint_url,
                    databases=[database],
                    users=[user],
                    folder=self._store.warehouse_folder("-".join(key), made) if self._store else None,
                    before_statement=self._before_statement,
                )
                self._warehouses[key] = (cluster, warehouse)
            return warehouse

    def secret(self, secret_id: str) -> Credentials:
        """Reads a login from Secrets Manager.

        Args:
            secret_id: The secret's name or ARN.

        Raises:
            SecretError: It does not exist, is not JSON, or lacks `username` or `password`.
        """
        try:
            content = json.loads(self._secrets.get_secret_value(SecretId=secret_id)["SecretString"])
            return Credentials(str(content["username"]), str(content["password"]))
        except ClientError as error:
            raise SecretError(f"Secret {secret_id}: {error.response['Error']['Message']}") from None
        except (ValueError, TypeError):
            raise SecretError(
                f"Secret {secret_id} is not a JSON object with a username and a password."
            ) from None
        except KeyError as error:
            raise SecretError(f"Secret {secret_id} has no key {error.args[0]}.") from None

    def password_is(self, cluster: str, login: Credentials) -> bool:
        """Whether a user of a cluster has this password: the one in the secret `<cluster>/<user>`."""
        password = self.password(cluster, login.user)
        return password is not None and secrets.compare_digest(password.encode(), login.password.encode())

    def password(self, cluster: str, user: str) -> str | None:
        """The password in the secret `<cluster>/<user>`, else the one a master user was created with."""
        try:
            return self.secret(f"{cluster}/{user}").password
        except SecretError:
            known = get_backend("redshift")[ACCOUNT_ID][REGION].clusters.get(cluster)
            if known is not None and known.master_username == user:
                return str(known.master_user_password)
            return redshift_serverless_backends[ACCOUNT_ID][REGION].password(cluster, user)

    def close(self) -> None:
        """Closes every warehouse; what is only in memory and temporary folders is gone."""
        with self._lock:
            for _, warehouse in self._warehouses.values():
                warehouse.close()
            self._warehouses.clear()
