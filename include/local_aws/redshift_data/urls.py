"""Which requests belong to the Data API: those whose `X-Amz-Target` starts with this."""

TARGET_PREFIX = "RedshiftData."
