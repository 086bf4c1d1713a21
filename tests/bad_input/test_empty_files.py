"""Files of 0 bytes: the pipeline names them before it loads anything of the day."""

from __future__ import annotations

from typing import Any

import pytest
from bad_files import EMPTY_FILES

from in_process import BUCKET
from store_sales_days import DAY

DIMENSIONS = ("customer", "customer_address", "item", "store")


@pytest.fixture
def wait_for_extract(bucket: Any, dags: Any) -> Any:
    """The pipeline's task for the day, and an extract that it accepts."""
    for key in ("store_sales/sale_date", *(f"{name}/extract_date" for name in DIMENSIONS)):
        bucket.put_object(Bucket=BUCKET, Key=f"raw/{key}={DAY}/part-00000.parquet", Body=b"PAR1")
    task = dags["store_sales_etl"].get_task("wait_for_extract").prepare_for_execution()
    task.render_template_fields({"params": {"refresh_date": str(DAY)}, "dag_run": None, "task": task})
    return task


@pytest.mark.parametrize("key", [key for _, key in EMPTY_FILES], ids=[kind for kind, _ in EMPTY_FILES])
def test_a_file_of_0_bytes_is_refused_by_name(bucket: Any, wait_for_extract: Any, key: str) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    wait_for_extract.execute({})
    bucket.put_object(Bucket=BUCKET, Key=key, Body=b"")
    with pytest.raises(
        AirflowFailException, match=f"^Delivered with 0 bytes.*: s3://{BUCKET}/{key}; ask the"
    ):
        wait_for_extract.execute({})
    bucket.put_object(Bucket=BUCKET, Key=key, Body=b"PAR1")
    wait_for_extract.execute({})
