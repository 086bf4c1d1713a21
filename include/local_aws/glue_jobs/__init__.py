"""Glue job runs that really run: Python shell jobs as subprocesses. The job definitions stay in moto."""
