"""The pipelines' settings: Airflow's configuration section `[redshift_etl]`, read once and checked."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, fields
from pathlib import PurePosixPath
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from airflow.sdk import conf
from airflow.sdk.exceptions import AirflowConfigException
from croniter import croniter  # type: ignore[import-untyped]  # ships no types

from redshift_etl.refresh_date import calendar_date

SECTION: Final = "redshift_etl"

_OPTIONAL: Final = frozenset(
    {
        "cluster_identifier",
        "workgroup_name",
        "db_user",
        "secret_arn",
        "quicksight_data_set_id",
        "schedule",
        "first_refresh_date",
        "deadline",
        "pause_cluster",
    }
)

# Values reach SQL as identifiers and literals, so their shape is checked here, where an error names the key.
_SHAPES: Final[dict[str, tuple[str, str]]] = {
    "database": (r"[a-zA-Z_][a-zA-Z0-9_$-]{0,63}", "a database name such as dev"),
    "cluster_identifier": (
        r"(?=.{1,63}$)[a-z][a-z0-9]*(-[a-z0-9]+)*",
        "a cluster identifier such as redshift-etl: lower-case letters, digits and single hyphens",
    ),
    "workgroup_name": (
        r"[a-z0-9-]{3,63}",
        "a workgroup name such as redshift-etl: 3 to 63 lower-case letters, digits and hyphens",
    ),
    "db_user": (r"[a-zA-Z_][a-zA-Z0-9_+.@:-]{0,127}", "a database user such as awsuser"),
    "secret_arn": (
        r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@!-]+",
        "the ARN of a secret, arn:aws:secretsmanager:<region>:<account>:secret:<name>",
    ),
    "iam_role_arn": (
        r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+",
        "the ARN of a role, arn:aws:iam::<account>:role/<name>",
    ),
    "data_bucket": (
        r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
        "a bucket name such as redshift-etl-data, without s3:// and without a path",
    ),
    "glue_job_name": (
        r"[\w.() -]{1,255}",
        "the name of a Glue job such as reviews-etl: letters, digits, blanks and .()-_",
    ),
    "reviews_location": (
        r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/([^'\"\s]*/)?",
        "an S3 location that ends with a slash, such as s3://redshift-etl-data/raw/reviews/",
    ),
    "quicksight_data_set_id": (r"[\w-]{1,512}", "the id of a QuickSight data set"),
    "sns_topic_arn": (
        r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}",
        "the ARN of a standard topic, arn:aws:sns:<region>:<account>:<name>",
    ),
    "pause_cluster": ("true|false", "true or false"),
    "deadline": (r"([01]\d|2[0-3]):[0-5]\d", "a time of day such as 09:00"),
}

_PURPOSES: Final[dict[str, str]] = {
    "database": "the database to work in",
    "iam_role_arn": "the role that Redshift uses for S3 and the Glue catalog",
    "data_bucket": "the bucket of the extracts and the reports",
    "sns_topic_arn": "the SNS topic of the alerts, for a pipeline that cannot alert fails unseen",
    "sql_dir": "the folder that holds the .sql files",
    "glue_job_name": "the Glue job that runs the SQL of the reviews",
    "reviews_location": "the S3 location of the reviews' product_category= folders, with a slash at its end",
    "timezone": "the time zone in which a day begins and ends, for example UTC",
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where the warehouse and its data are, and when the pipelines run.

    Attributes:
        database: Database to work in.
        cluster_identifier: Provisioned cluster; either this or `workgroup_name`.
        workgroup_name: Redshift Serverless workgroup; either this or `cluster_identifier`.
        db_user: Database user, for a cluster with temporary credentials; either this or `secret_arn`.
        secret_arn: Secrets Manager secret with the database user's name and password.
        iam_role_arn: Role that Redshift assumes for COPY, UNLOAD and Spectrum.
        data_bucket: S3 bucket of the extracts (`raw/`) and the reports (`reports/`).
        glue_job_name: Glue job that runs `sql/reviews/`; the database, the secret and the script bucket are
            its default arguments.
        reviews_location: S3 location of the reviews, with a slash at its end.
        quicksight_data_set_id: Data set to refresh after the top reviews; None: none is refreshed.
        sql_dir: Absolute path of the folder with the `.sql` files: the one template search path.
        sns_topic_arn: SNS topic of the alerts.
        timezone: IANA name of the zone in which a refresh date is a day and the schedule is read.
        schedule: Cron expression of the daily run; None: runs are only started by hand.
        first_refresh_date: The schedule's first day, YYYY-MM-DD, which a schedule needs: each day since then
            without a scheduled run gets one, whatever kept Airflow from it.
        deadline: Time of day, HH:MM, by which the day before must be loaded, or an alert is sent; None: no
            such alert. Only scheduled runs have one.
        pause_cluster: `true`: the pipelines resume the cluster when they need it, and the last of them pauses
            it. `false` or None: it is somebody else's to pause.
    """

    database: str
    cluster_identifier: str | None = None
    workgroup_name: str | None = None
    db_user: str | None = None
    secret_arn: str | None = None
    iam_role_arn: str
    data_bucket: str
    glue_job_name: str
    reviews_location: str
    quicksight_data_set_id: str | None = None
    sql_dir: str
    sns_topic_arn: str
    timezone: str
    schedule: str | None = None
    first_refresh_date: str | None = None
    deadline: str | None = None
    pause_cluster: str | None = None

    def __post_init__(self) -> None:
        """Refuse what is missing, misshapen or contradictory.

        Raises:
            AirflowConfigException: One sentence that names the key or keys.
        """
        for key, value in asdict(self).items():
            if not value:
                if key not in _OPTIONAL:
                    raise AirflowConfigException(
                        f"[{SECTION}] {key} is not set: set {variable(key)} to {_PURPOSES[key]}."
                    )
            elif key in _SHAPES and not re.fullmatch(_SHAPES[key][0], value):
                raise AirflowConfigException(
                    f"[{SECTION}] {key} is {value!r}: set {variable(key)} to {_SHAPES[key][1]}."
                )
        self._check_target()
        self._check_folder_and_times()

    def _check_target(self) -> None:
        """Hold one warehouse and one way to log in to it."""
        if bool(self.cluster_identifier) == bool(self.workgroup_name):
            found = "are both set" if self.workgroup_name else "are both empty"
            raise AirflowConfigException(
                f"[{SECTION}] cluster_identifier and workgroup_name {found}: set exactly one, "
                f"{variable('cluster_identifier')} for a provisioned cluster or "
                f"{variable('workgroup_name')} for Redshift Serverless."
            )
        if self.db_user and self.secret_arn:
            raise AirflowConfigException(
                f"[{SECTION}] db_user and secret_arn are both set: "
                f"empty {variable('db_user')} or {variable('secret_arn')}."
            )
        if self.db_user and self.workgroup_name:
            raise AirflowConfigException(
                f"[{SECTION}] db_user and workgroup_name are both set, but a workgroup takes its user from "
                f"the caller's IAM role or from a secret: empty {variable('db_user')}."
            )
        if self.pauses_cluster and self.workgroup_name:
            raise AirflowConfigException(
                f"[{SECTION}] pause_cluster and workgroup_name are both set, but a workgroup pauses by "
                f"itself: set {variable('pause_cluster')} to false."
            )
        if self.cluster_identifier and not (self.db_user or self.secret_arn):
            raise AirflowConfigException(
                f"[{SECTION}] db_user and secret_arn are both empty: for a cluster, set "
                f"{variable('db_user')} to a database user or {variable('secret_arn')} to its secret's ARN."
            )

    def _check_folder_and_times(self) -> None:
        """Hold an absolute folder, a known zone, a time of each day and a date that exists."""
        if not PurePosixPath(self.sql_dir).is_absolute():
            raise AirflowConfigException(
                f"[{SECTION}] sql_dir is {self.sql_dir!r}: set {variable('sql_dir')} to an absolute path, "
                "because Airflow's processes start in different folders."
            )
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: a folder of zones, "Europe"
            raise AirflowConfigException(
                f"[{SECTION}] timezone is {self.timezone!r}: set {variable('timezone')} to an IANA name "
                "such as Europe/Vienna or UTC."
            ) from error
        if self.schedule and not _is_daily(self.schedule):
            raise AirflowConfigException(
                f"[{SECTION}] schedule is {self.schedule!r}: set {variable('schedule')} to a cron expression "
                "of one time on each day, for each run loads one day, such as '0 6 * * *'; or leave it empty "
                "to start runs by hand only."
            )
        if self.schedule and not self.first_refresh_date:
            raise AirflowConfigException(
                f"[{SECTION}] first_refresh_date is not set: set {variable('first_refresh_date')} to the "
                "first day that the schedule loads such as 2026-11-30, for each day since then is loaded, "
                "also one that Airflow misses."
            )
        if self.first_refresh_date and not calendar_date(self.first_refresh_date):
            raise AirflowConfigException(
                f"[{SECTION}] first_refresh_date is {self.first_refresh_date!r}: set "
                f"{variable('first_refresh_date')} to a date such as 2026-11-30."
            )

    @property
    def pauses_cluster(self) -> bool:
        """Whether the pipelines resume and pause the cluster."""
        return self.pause_cluster == "true"

    @property
    def target(self) -> dict[str, str]:
        """The Redshift operators' arguments that say where and as whom to run: for a DAG's `default_args`."""
        chosen = {
            "database": self.database,
            "cluster_identifier": self.cluster_identifier,
            "workgroup_name": self.workgroup_name,
            "db_user": self.db_user,
            "secret_arn": self.secret_arn,
        }
        return {name: value for name, value in chosen.items() if value}


def _is_daily(schedule: str) -> bool:
    try:
        minutes, hours, *days = croniter.expand(schedule)[0]
    except ValueError:
        return False
    every_day = [["*"], ["*"], ["*"]]
    return days == every_day and [len(minutes), len(hours)] == [1, 1] and "*" not in (*minutes, *hours)


KEYS: Final = tuple(field.name for field in fields(Settings))


def variable(key: str) -> str:
    """Name of the environment variable that sets a key of the section."""
    return f"AIRFLOW__{SECTION}__{key}".upper()


def load_settings() -> Settings:
    """Read `[redshift_etl]` from Airflow's configuration; an empty value counts as not set.

    Returns:
        The checked settings.

    Raises:
        AirflowConfigException: A key is missing, misshapen or contradicts another; the sentence names it.
    """
    values: dict[str, Any] = {key: conf.get(SECTION, key, fallback="").strip() or None for key in KEYS}
    return Settings(**values)
