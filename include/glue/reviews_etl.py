"""The Glue Python shell job `reviews-etl`: runs one SQL file of the reviews pipeline on Redshift."""

import sys

from redshift_sql.job import main  # type: ignore[import-not-found]  # the wheel of --extra-py-files

if __name__ == "__main__":
    sys.exit(main("reviews-etl"))
