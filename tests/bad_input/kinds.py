"""How many kinds of bad input are tried.

PYTHONPATH=tests:include:plugins python tests/bad_input/kinds.py
"""

import bad_files
import bad_sales
import bad_values

KINDS: dict[str, tuple[object, ...]] = {
    "files for COPY": bad_files.BAD_FILES,
    "files for Spectrum": bad_files.BAD_SALES_FILES,
    "names of S3 objects": bad_files.HOSTILE_NAMES,
    "lines refused before the fact": bad_sales.AT_THE_GATE,
    "lines found before the reports": bad_sales.BEFORE_THE_REPORTS,
    "parameters refused": bad_values.BAD_PARAMS,
    "parameters taken as text": bad_values.HOSTILE_TEXTS,
    "settings": bad_values.BAD_SETTINGS,
    "scripts for the Data API": bad_values.BAD_SCRIPTS,
    "scripts for the Glue job": bad_values.BAD_JOB_SCRIPTS,
    "manifests": bad_values.BAD_MANIFESTS + bad_values.BAD_REVIEW_MANIFESTS,
    "pointers": bad_values.BAD_POINTERS,
}
COUNT = sum(len(kinds) for kinds in KINDS.values())

if __name__ == "__main__":
    print(COUNT)  # it is what the command is for
