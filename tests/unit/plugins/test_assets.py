from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from airflow.sdk import Asset

from redshift_etl import assets


def test_the_consumers_of_an_unloaded_report_are_told_its_rows(aws: Callable[[str], Any]) -> None:
    report = Asset(name="top_reviews", uri="s3://data/reports/top_reviews")
    events: Any = defaultdict(lambda: SimpleNamespace(extra=None))
    # Redshift counts the header line of each file as a row.
    files = [{"url": f"s3://data/reports/00{n}"} for n in range(2)]
    manifest = {"entries": files, "meta": {"content_length": 5, "record_count": 44}}
    s3 = aws("s3")
    s3.create_bucket(Bucket="data")
    s3.put_object(Bucket="data", Key="reports/manifest", Body=json.dumps(manifest).encode())
    context: Any = {"task": SimpleNamespace(outlets=[report]), "outlet_events": events}
    assets.rows_unloaded("s3://data/reports/manifest")(context, None)
    assert events[report].extra == {"rows": 42, "manifest": "s3://data/reports/manifest"}
