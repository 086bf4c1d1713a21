"""How many kinds of bad input are tried, and how many hostile texts that are allowed.

PYTHONPATH=tests:include:plugins python tests/bad_input/kinds.py
"""

import bad_columns
import bad_files
import bad_sales
import bad_values

# What is refused with an error that names it.
REFUSED: dict[str, tuple[object, ...]] = {
    "files for COPY": bad_files.BAD_FILES,
    "files for Spectrum": bad_files.BAD_SALES_FILES,
    "files of 0 bytes": bad_files.EMPTY_FILES,
    "files of other columns": bad_columns.BAD_COLUMNS,
    "lines of sales": bad_sales.BAD_SALES,
    "parameters": bad_values.BAD_PARAMS,
    "settings": bad_values.BAD_SETTINGS,
    "scripts for the Data API": bad_values.BAD_SCRIPTS,
    "scripts for the Glue job": bad_values.BAD_JOB_SCRIPTS,
    "manifests": bad_values.BAD_MANIFESTS + bad_values.BAD_REVIEW_MANIFESTS,
    "pointers": bad_values.BAD_POINTERS,
}
# What looks like an attack, is allowed, and is taken as the text that it is.
TAKEN_AS_TEXT: dict[str, tuple[object, ...]] = {
    "names of S3 objects": bad_files.HOSTILE_NAMES,
    "parameters": bad_values.HOSTILE_TEXTS,
}


def count(kinds: dict[str, tuple[object, ...]]) -> int:
    return sum(map(len, kinds.values()))


if __name__ == "__main__":
    print(f"{count(REFUSED)} refused, {count(TAKEN_AS_TEXT)} taken as text")  # it is what the command is for
