"""How the extracts are kept: the same bytes every time, generated once, made again when damaged."""

import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest

from datasets import store_sales

DAYS = (date(2002, 12, 31), date(2003, 1, 1))


def deliver(cache: Path, start: date = DAYS[0], end: date = DAYS[1]) -> dict[str, str]:
    """The MD5 of every extract by its key, at the smallest scale factor."""
    deliveries = store_sales.deliver(start, end, scale_factor=0.01, cache=cache)
    assert all(delivery.path.is_file() for delivery in deliveries)
    return {delivery.key: delivery.md5 for delivery in deliveries}


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A filled cache, to be copied, and what it delivers."""
    cache = tmp_path_factory.mktemp("warm")
    return cache, deliver(cache)


@pytest.fixture
def filled(warm: tuple[Path, dict[str, str]], tmp_path: Path) -> Path:
    return Path(shutil.copytree(warm[0], tmp_path / "cache"))


@pytest.fixture
def without_dsdgen(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: Path, scale_factor: float) -> int:
        raise AssertionError(f"dsdgen is called for {folder} at {scale_factor}")

    monkeypatch.setattr(store_sales, "_generate_source", refuse)


def test_generating_again_gives_the_same_bytes(warm, tmp_path):
    assert deliver(tmp_path) == warm[1]


@pytest.mark.usefixtures("without_dsdgen")
def test_a_second_start_opens_no_database(filled, warm, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a database is opened")

    monkeypatch.setattr(duckdb, "connect", refuse)
    assert deliver(filled) == warm[1]


@pytest.mark.usefixtures("without_dsdgen")
def test_other_days_come_from_the_same_generated_source(filled):
    assert len(deliver(filled, date(2000, 2, 28), date(2000, 3, 1))) == 3 + 3 * 5


@pytest.mark.usefixtures("without_dsdgen")
def test_an_extract_of_a_later_day_does_not_depend_on_the_first_day(filled, warm):
    earlier = deliver(filled, start=date(2002, 12, 25))
    later_day = [key for key in warm[1] if "2003-01-01" in key]
    assert len(later_day) == 5
    assert all(earlier[key] == warm[1][key] for key in later_day)


@pytest.mark.usefixtures("without_dsdgen")
@pytest.mark.parametrize(
    "damage", ["truncated", "changed", "deleted", "manifest truncated", "manifest emptied"]
)
def test_a_damaged_extract_is_made_again(filled, warm, damage):
    [path] = filled.glob("*/sales/2003-01-01/store_sales.parquet")
    manifest = path.with_name("manifest.json")
    match damage:
        case "truncated":
            path.write_bytes(path.read_bytes()[:-100])
        case "changed":
            path.write_bytes(path.read_bytes().replace(b"PAR1", b"PAR2", 1))
        case "deleted":
            path.unlink()
        case "manifest truncated":
            manifest.write_bytes(manifest.read_bytes()[:20])
        case "manifest emptied":
            manifest.write_text("[]")
    assert deliver(filled) == warm[1]


@pytest.mark.usefixtures("without_dsdgen")
def test_what_a_killed_run_left_half_written_is_made_again(filled, warm):
    [folder] = filled.glob("*/sales/2003-01-01")
    (folder / "manifest.json").unlink()
    folder.rename(folder.with_name("2003-01-01.partial"))
    assert deliver(filled) == warm[1]
    assert not list(filled.glob("**/*.partial"))


def test_a_damaged_source_is_generated_again_and_intact_extracts_stay(filled, warm):
    [source] = filled.glob("*/source/source.duckdb")
    source.write_bytes(source.read_bytes()[:5000])
    shutil.rmtree(next(filled.glob("*/sales/2003-01-01")))
    assert deliver(filled) == warm[1]


def test_a_run_that_fails_leaves_nothing_half_made(tmp_path, monkeypatch):
    def fail(folder: Path, scale_factor: float) -> int:
        (folder / "source.duckdb").write_bytes(b"half")
        raise duckdb.IOException(f"no space left at scale factor {scale_factor}")

    monkeypatch.setattr(store_sales, "_generate_source", fail)
    with pytest.raises(duckdb.IOException, match="no space left"):
        deliver(tmp_path)
    assert not list(tmp_path.glob("**/source*"))


def test_a_change_of_the_code_makes_everything_new_and_removes_the_old(filled, warm, monkeypatch):
    [old] = filled.glob("store-sales-*")
    monkeypatch.setattr(store_sales, "_version", lambda: "another")
    assert deliver(filled) == warm[1]
    assert [path.name for path in filled.glob("store-sales-*")] == ["store-sales-0.01-another"]
    assert not old.exists()


def test_scale_factors_live_side_by_side(filled):
    store_sales.deliver(*DAYS, scale_factor=0.02, cache=filled)
    assert sorted(path.name.split("-")[2] for path in filled.glob("store-sales-*")) == ["0.01", "0.02"]


def test_progress_is_told_from_the_first_step_to_the_last(tmp_path):
    steps: list[tuple[str, int, int]] = []
    store_sales.deliver(*DAYS, scale_factor=0.01, cache=tmp_path, progress=lambda *step: steps.append(step))
    assert steps[:2] == [("generating TPC-DS at scale factor 0.01", done, 1) for done in (0, 1)]
    assert steps[2:] == [("generating extracts", done, 5) for done in range(6)]


@pytest.mark.parametrize(
    ("start", "end", "scale_factor", "message"),
    [
        ("1998-01-01", "1998-01-03", 0.1, "from 1998-01-01 has no store sales in TPC-DS: choose a day from"),
        ("2003-01-02", "2003-01-03", 0.1, "to 2003-01-03 has no store sales .* 1998-01-02 to 2003-01-02"),
        ("2003-01-02", "2003-01-01", 0.1, "from 2003-01-02 is after to 2003-01-01: choose"),
        ("2003-01-01", "2003-01-02", 0.0, "scale factor 0 cannot be generated: choose one from 0.01 to 300"),
        ("2003-01-01", "2003-01-02", -1.0, "scale factor -1 cannot"),
        ("2003-01-01", "2003-01-02", float("nan"), "scale factor nan cannot"),
        ("2003-01-01", "2003-01-02", float("inf"), "scale factor inf cannot"),
    ],
)
def test_what_cannot_be_generated_is_refused_before_any_work(tmp_path, start, end, scale_factor, message):
    days = date.fromisoformat(start), date.fromisoformat(end)
    with pytest.raises(ValueError, match=message):
        store_sales.deliver(*days, scale_factor=scale_factor, cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_a_missing_extension_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(store_sales, "files", lambda _: tmp_path)
    with pytest.raises(RuntimeError, match=r"duckdb-extension-tpcds has no extension .* run `make setup`"):
        deliver(tmp_path / "cache")
