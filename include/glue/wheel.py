"""`python -m glue.wheel FOLDER`, from include/: builds the wheel that the job takes as `--extra-py-files`."""

from __future__ import annotations

import argparse
import base64
import hashlib
import zipfile
from pathlib import Path

from glue.redshift_sql import __version__

PACKAGE = Path(__file__).parent / "redshift_sql"
FILE_NAME = f"redshift_sql-{__version__}-py3-none-any.whl"
_DIST_INFO = f"redshift_sql-{__version__}.dist-info"
_METADATA = f"""Metadata-Version: 2.1
Name: redshift-sql
Version: {__version__}
Summary: Runs a file of Redshift SQL from S3, as a Glue Python shell job.
Requires-Python: >=3.9
"""
# boto3 and redshift_connector are in Glue's analytics library set; named here, Glue would install others.
_WHEEL = """Wheel-Version: 1.0
Generator: glue.wheel
Root-Is-Purelib: true
Tag: py3-none-any
"""


def build(folder: Path) -> Path:
    """Build the wheel; the same sources give the same bytes, so that a deployment sees what changed.

    Args:
        folder: Where the wheel goes; created if missing.

    Returns:
        The wheel's path.
    """
    files = {f"redshift_sql/{source.name}": source.read_bytes() for source in sorted(PACKAGE.glob("*.py"))}
    files[f"{_DIST_INFO}/METADATA"] = _METADATA.encode()
    files[f"{_DIST_INFO}/WHEEL"] = _WHEEL.encode()
    record = f"{_DIST_INFO}/RECORD"
    lines = [f"{name},sha256={_digest(content)},{len(content)}" for name, content in files.items()]
    files[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / FILE_NAME
    # Stored, not compressed: zlib's output differs between its versions.
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content)
    return wheel


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def main() -> None:
    """Build the wheel and print its path."""
    parser = argparse.ArgumentParser(prog="python -m glue.wheel", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the wheel goes")
    print(build(parser.parse_args().folder))


if __name__ == "__main__":
    main()
