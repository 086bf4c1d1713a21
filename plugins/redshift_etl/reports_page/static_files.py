"""The page's files: its own, and the chart library from the package that ships it."""

from __future__ import annotations

import hashlib
import mimetypes
from functools import cache
from importlib.resources import files

from fastapi import HTTPException, Request, Response

OURS = "redshift_etl.reports_page"
# From the Python package chartkick, by pip or, on MWAA, in plugins.zip.
CHARTS = "Chart.bundle.js"


def file_response(request: Request, name: str) -> Response:
    """Return a file, or 304 to a browser that has it.

    The tag is a digest of the content: in the archive that MWAA unpacks, all files are of the same time.

    Args:
        request: The browser's request.
        name: The file's name, without a folder.

    Returns:
        The file.

    Raises:
        HTTPException: 404, there is no such file.
    """
    try:
        body, tag = _read(name)
    except OSError as error:
        raise HTTPException(404, f"The Reports page has no file {name!r}.") from error
    except ModuleNotFoundError as error:
        raise HTTPException(
            404, "Charts need the package chartkick: install it, or deploy what make package builds."
        ) from error
    headers = {"ETag": tag}
    if name == CHARTS:
        headers["Cache-Control"] = "private, max-age=604800"  # a released file; a week is long enough
    if request.headers.get("If-None-Match", "").removeprefix("W/") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=mimetypes.guess_type(name)[0], headers=headers)


@cache
def _read(name: str) -> tuple[bytes, str]:
    if "/" in name or "\\" in name or name.startswith("."):
        raise FileNotFoundError(name)
    if name == CHARTS:
        file = files("chartkick").joinpath("django", "static", "chartkick", name)
    else:
        file = files(OURS).joinpath("static", name)
    body = file.read_bytes()
    return body, f'"{hashlib.sha256(body).hexdigest()[:16]}"'
