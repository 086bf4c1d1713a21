"""`make package`: builds `dist/mwaa` (DAGs with SQL, plugins.zip, requirements.txt) and `dist/glue`.

Reproducible: the same sources give the same bytes, so that an upload without a change is no new version,
which on MWAA would be an update of the environment.
"""

import hashlib
import shutil
import sys
import zipfile
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from glue.wheel import build

PROJECT = Path(__file__).resolve().parents[2]
NOT_SHIPPED = ("__pycache__", "*.pyc")
CHECK = "deployment_check.py"
# ZIP knows no time before 1980; a file's own time would make every build another.
EPOCH = (1980, 1, 1, 0, 0, 0)


def package(target: Path) -> list[Path]:
    """Build everything that AWS needs.

    Args:
        target: The folder to build in; what an earlier build left there is removed.

    Returns:
        The files, sorted.
    """
    shutil.rmtree(target, ignore_errors=True)
    airflow = target / "mwaa"
    ignore = shutil.ignore_patterns(*NOT_SHIPPED)
    shutil.copytree(PROJECT / "dags", airflow / "dags", ignore=shutil.ignore_patterns(*NOT_SHIPPED, "sql"))
    # sql_dir on MWAA: the DAG folder is the only one that is synced without an environment update.
    shutil.copytree(PROJECT / "sql", airflow / "dags" / "sql", ignore=ignore)
    shutil.copyfile(PROJECT / "requirements.txt", airflow / "requirements.txt")
    _zip(_below(PROJECT / "plugins") | _charts(), airflow / "plugins.zip")
    (target / "glue").mkdir()
    build(target / "glue")
    check = Path(__file__).with_name(CHECK)
    # Its description tells, in Airflow, which package was read.
    text = check.read_text().replace(
        "the deployment works", f"the deployment works, package {digest(target)}"
    )
    (airflow / "dags" / check.name).write_text(text)
    return sorted(path for path in target.rglob("*") if path.is_file())


def digest(target: Path) -> str:
    """Name a package by its content.

    Args:
        target: The folder that it was built in.

    Returns:
        Twelve hexadecimal digits.
    """
    total = hashlib.sha256()
    for path in sorted(target.rglob("*")):
        if path.is_file() and path.name != CHECK:
            total.update(f"{path.relative_to(target).as_posix()}\0".encode() + path.read_bytes())
    return total.hexdigest()[:12]


def _below(folder: Path) -> dict[str, Path]:
    """Find a folder's files, by their names in it."""
    found = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): path for path in found}


def _charts() -> dict[str, Path]:
    """Find the package that ships Chart.js, for the Reports page, with its licenses and without its code.

    In the archive it needs no pip: an environment without a way to PyPI has charts too.
    """
    package = Path(str(files("chartkick")))
    return {
        f"chartkick/{name}": path
        for name, path in _below(package).items()
        if name == "__init__.py" or not name.endswith(".py")
    }


def _zip(content: Mapping[str, Path], archive: Path) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, path in sorted(content.items()):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16  # whatever this machine's umask is
            zipped.writestr(entry, path.read_bytes())


def main() -> int:
    """Build into `dist` and print what is there."""
    target = PROJECT / "dist"
    for path in package(target):
        sys.stdout.write(f"{path.relative_to(PROJECT)}  {path.stat().st_size:,} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
