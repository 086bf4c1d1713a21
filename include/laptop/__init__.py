"""`make run`: AWS, Airflow and the pipelines on one laptop, from nothing to printed reports."""
