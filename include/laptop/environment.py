"""The environment of every process that `make run` and the end-to-end tests start."""

import os
import secrets
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
LOCAL_ENV = PROJECT / "include" / "local.env"


def read_env_file(path: Path) -> dict[str, str]:
    """Read KEY=VALUE lines, literally, as docker compose's `env_file` does.

    Args:
        path: The file; empty lines and lines that start with `#` are skipped.

    Returns:
        The variables in the order of the file.

    Raises:
        ValueError: A line is not KEY=VALUE.
    """
    variables = {}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        name, separator, value = line.partition("=")
        if not separator:
            raise ValueError(f"{path} line {number} is not KEY=VALUE: {line!r}.")
        variables[name] = value
    return variables


def airflow_environment(*, home: Path, web_port: int, aws_endpoint: str) -> dict[str, str]:
    """Describe a whole Airflow on this machine: loopback only, LocalExecutor, SQLite, our folders.

    What the caller's shell says about AWS or Airflow is left out, so that a laptop with a real account
    configured can never reach it from here.

    Args:
        home: AIRFLOW_HOME, where the metadata database and the task logs go.
        web_port: The port of the web UI and of Airflow's API.
        aws_endpoint: The address of `local_aws`.

    Returns:
        The environment for every Airflow process.
    """
    web = f"http://127.0.0.1:{web_port}"
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW_", "AWS_"))}
    return (
        inherited
        | read_env_file(LOCAL_ENV)
        | {
            "AWS_ENDPOINT_URL": aws_endpoint,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__REDSHIFT_ETL__SQL_DIR": str(PROJECT / "sql"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            # Two cores run a few tasks at a time; more only wait for each other in memory.
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{web}/execution/",
            # Whoever reaches the loopback address is the developer: no password to look up.
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(web_port),
            "AIRFLOW__API__BASE_URL": web,
            "AIRFLOW__API__SECRET_KEY": secrets.token_hex(16),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
            # Scheduler and triggerer look around this often when idle; the default of 1 s adds up over a run.
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
            # Airflow sometimes misses that a task's process has ended, or closed its sockets, and holds the
            # worker until it looks again: after 5 s and 60 s by default.
            "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
            "AIRFLOW__WORKERS__SOCKET_CLEANUP_TIMEOUT": "5",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        }
    )
