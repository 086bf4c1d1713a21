"""COPY of Parquet against DuckDB alone: the same file into the same table.

Run: python benchmarks/copy_parquet.py [--rows 1000000] [--repeat 9]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "include"))

import boto3
import duckdb
from moto.server import ThreadedMotoServer

from local_aws.redshift import Warehouse

COLUMNS = """
    sold_date date, sold_time integer, item_id {text}, customer_id {text}, ticket_number bigint, quantity
    integer,
    list_price decimal(7,2), sales_price decimal(7,2), ext_tax decimal(7,2), net_paid decimal(7,2)
"""
ROWS = """
    select date '2003-01-01' + (i % 365)::int, (i % 86400)::int, 'AAAAAAAA' || (i % 18000), 'AAAAAAAA' || (i
    % 100000),
           i, (i % 100)::int, (i % 99999 / 100.0)::decimal(7,2), (i % 88888 / 100.0)::decimal(7,2),
           (i % 777 / 100.0)::decimal(7,2), (i % 99991 / 100.0)::decimal(7,2)
    from range({rows}) as r(i)
"""


def main() -> None:
    """Prints both medians in seconds and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=9)
    options = parser.parse_args()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sales.parquet"
        duckdb.sql(f"copy ({ROWS.format(rows=options.rows)}) to '{file}' (format parquet)")
        s3 = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
        )
        s3.create_bucket(Bucket="lake")
        body = file.read_bytes()
        # In turns, so that whatever else the machine does falls on both.
        times = [(duckdb_alone(file), copy(endpoint, s3, body, number)) for number in range(options.repeat)]
        alone, through = (statistics.median(column) for column in zip(*times, strict=True))
    server.stop()
    print(f"{options.rows} rows, {len(body) / 1e6:.1f} MB of Parquet")
    print(f"DuckDB alone  {alone:.3f} s")
    print(f"COPY          {through:.3f} s")
    print(f"ratio         {through / alone:.2f}")


def duckdb_alone(file: Path) -> float:
    """Seconds DuckDB needs with the threads the warehouse has."""
    with duckdb.connect(":memory:", config={"threads": 2}) as connection:
        connection.execute(f"create table sales ({COLUMNS.format(text='varchar')})")
        start = time.perf_counter()
        connection.execute(f"insert into sales select * from read_parquet('{file}')")
        return time.perf_counter() - start


def copy(endpoint: str, s3: object, body: bytes, number: int) -> float:
    """Seconds COPY needs for an object it has never seen."""
    s3.put_object(Bucket="lake", Key=f"in/{number}/sales.parquet", Body=body)  # type: ignore[attr-defined]  # boto3 client
    warehouse = Warehouse("benchmark", endpoint_url=endpoint)
    session = warehouse.connect("dev", "awsuser")
    session.execute("select 1")
    warehouse.store.find("s3://lake/in/")
    session.execute(f"create table sales ({COLUMNS.format(text='varchar(16)')})")
    start = time.perf_counter()
    session.execute(f"copy sales from 's3://lake/in/{number}/' iam_role default format as parquet")
    seconds = time.perf_counter() - start
    warehouse.close()
    return seconds


if __name__ == "__main__":
    main()
