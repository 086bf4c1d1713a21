"""Folders of generated files on disk: whole and verified, or made again."""

import fcntl
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

_MANIFEST = "manifest.json"


@dataclass(frozen=True)
class CachedFile:
    """A generated file as its folder's manifest describes it."""

    rows: int
    size: int
    md5: str


@contextmanager
def locked(cache: Path) -> Iterator[None]:
    """Hold the cache for this process; another one waits. The lock ends with the process that holds it."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def verified(folder: Path) -> dict[str, CachedFile] | None:
    """What a folder holds, by file name, after comparing every file with the manifest.

    Args:
        folder: A folder made by `build`.

    Returns:
        The files, or None where the folder is missing, half-written or damaged.
    """
    try:
        manifest = json.loads((folder / _MANIFEST).read_text())
        files = {name: CachedFile(**entry) for name, entry in manifest.items()}
        intact = all(_describe(folder / name, file.rows) == file for name, file in files.items())
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    return files if intact else None


def build(folder: Path, write: Callable[[Path], Mapping[str, int]]) -> dict[str, CachedFile]:
    """Make a folder, replacing what is there; it appears under its name only when it is complete.

    Args:
        folder: Where the files shall be.
        write: Writes the files into the empty folder it is given and returns the rows of each, by file name.

    Returns:
        The files by name.
    """
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        rows = write(partial)
        files = {name: _describe(partial / name, count) for name, count in rows.items()}
        (partial / _MANIFEST).write_text(
            json.dumps({name: asdict(file) for name, file in files.items()}, indent=1)
        )
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return files


def _describe(path: Path, rows: int) -> CachedFile:
    with path.open("rb") as file:
        # MD5 because S3's ETag is one: the same digest tells whether an object is already there.
        md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    return CachedFile(rows=rows, size=path.stat().st_size, md5=md5)
