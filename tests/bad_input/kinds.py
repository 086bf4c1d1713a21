"""How many kinds of bad input are tried.

PYTHONPATH=tests:include:plugins python tests/bad_input/kinds.py
"""

from bad_files import BAD_FILES, BAD_SALES_FILES, HOSTILE_NAMES
from bad_sales import AT_THE_GATE, BEFORE_THE_REPORTS
from bad_values import (
    BAD_JOB_SCRIPTS,
    BAD_MANIFESTS,
    BAD_PARAMS,
    BAD_POINTERS,
    BAD_REVIEW_MANIFESTS,
    BAD_SCRIPTS,
    BAD_SETTINGS,
    HOSTILE_TEXTS,
)

KINDS: dict[str, tuple[object, ...]] = {
    "files for COPY": BAD_FILES,
    "files for Spectrum": BAD_SALES_FILES,
    "names of S3 objects": HOSTILE_NAMES,
    "lines refused before the fact": AT_THE_GATE,
    "lines found before the reports": BEFORE_THE_REPORTS,
    "parameters refused": BAD_PARAMS,
    "parameters taken as text": HOSTILE_TEXTS,
    "settings": BAD_SETTINGS,
    "scripts for the Data API": BAD_SCRIPTS,
    "scripts for the Glue job": BAD_JOB_SCRIPTS,
    "manifests": BAD_MANIFESTS + BAD_REVIEW_MANIFESTS,
    "pointers": BAD_POINTERS,
}
COUNT = sum(len(kinds) for kinds in KINDS.values())

if __name__ == "__main__":
    print(COUNT)  # it is what the command is for
