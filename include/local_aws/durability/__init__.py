"""What outlives the process that is given a folder: requests to replay, statements, job runs, databases."""

from local_aws.durability.store import DataFolderError, Store

__all__ = ["DataFolderError", "Store"]
