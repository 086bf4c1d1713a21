"""``python -m datasets store-sales``."""

from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from datasets.__main__ import main

ENDS = ["--from", "2003-01-01", "--to", "2003-01-02", "--scale-factor", "0.01"]


def test_a_folder_gets_the_tree_of_the_bucket(cache, tmp_path, capsys):
    assert main(["store-sales", *ENDS, "--cache", str(cache), "--to-dir", str(tmp_path)]) == 0
    assert len(list(tmp_path.glob("raw/**/part-00000.parquet"))) == 13
    assert (tmp_path / "raw/store_sales/sale_date=2003-01-02/part-00000.parquet").is_file()
    assert capsys.readouterr().out.startswith("2 days, 13 files, ")


def test_the_bucket_gets_the_files_once(cache, capsys, monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        for summary in ("13 uploaded, 0 already there", "0 uploaded, 13 already there"):
            assert main(["store-sales", *ENDS, "--cache", str(cache)]) == 0
            assert f"in s3://redshift-etl-data ({summary})" in capsys.readouterr().out
        objects = boto3.client("s3").list_objects_v2(Bucket="redshift-etl-data")
        assert objects["KeyCount"] == 13


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--from", "2003-02-30", "--to", "2003-01-02"],
            "--from: '2003-02-30' is not a date: write it as YYYY-MM-DD.",
        ),
        (["--from", "2003-01-02", "--to", "tomorrow"], "--to: 'tomorrow' is not a date"),
    ],
)
def test_what_is_not_a_date_is_refused(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["store-sales", *arguments])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_a_day_out_of_range_is_refused_in_one_sentence(tmp_path, capsys):
    arguments = ["--from", "1997-12-31", "--to", "1998-01-02", "--cache", str(tmp_path)]
    assert main(["store-sales", *arguments]) == 2
    assert capsys.readouterr().err.strip() == (
        "python -m datasets: error: from 1997-12-31 has no store sales in TPC-DS: "
        "choose a day from 1998-01-02 to 2003-01-02."
    )


def test_an_unreachable_s3_names_the_bucket_and_what_to_check(cache, capsys, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert main(["store-sales", *ENDS, "--cache", str(cache)]) == 1
    error = capsys.readouterr().err
    assert "cannot deliver to s3://redshift-etl-data: Could not connect to the endpoint URL" in error
    assert error.rstrip().endswith("; check AWS_ENDPOINT_URL and credentials.")


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["store-sales", *ENDS, "--cache", str(tmp_path / "file")]) == 1
    assert f"cannot make the data set in {tmp_path / 'file'}: " in capsys.readouterr().err


def test_help_states_the_range_of_days(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["store-sales", "--help"])
    assert stop.value.code == 0
    assert "1998-01-02 to 2003-01-02" in capsys.readouterr().out
