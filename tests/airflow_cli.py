"""Airflow's command line on a metadata database in SQLite that other processes write to.

A transaction of SQLite's that has read cannot begin to write once another process has written ("database is
locked", at once), and Airflow reads first. Here every transaction says from its beginning that it will write,
and so waits for its turn. (SQLAlchemy's manual, dialect SQLite, "Serializable isolation, savepoints".)
"""

from typing import Any

from airflow import settings
from airflow.__main__ import main
from sqlalchemy import event


@event.listens_for(settings.engine, "connect")
def leave_transactions_to_us(connection: Any, _: object) -> None:
    connection.isolation_level = None


@event.listens_for(settings.engine, "begin")
def begin(connection: Any) -> None:
    connection.exec_driver_sql("begin immediate")


if __name__ == "__main__":
    main()
