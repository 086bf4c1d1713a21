"""Runs a file of Redshift SQL from S3, as a Glue Python shell job."""

__version__ = "0.1.0"
