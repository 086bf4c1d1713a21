"""Which requests belong to job runs: those whose `X-Amz-Target` starts with one of these."""

OPERATIONS = ("StartJobRun", "GetJobRun", "GetJobRuns", "BatchStopJobRun")
TARGETS = tuple(f"AWSGlue.{operation}" for operation in OPERATIONS)
