"""What the tests of the runner share: where its script and login lie, and what a run leaves behind."""

from dataclasses import dataclass

BUCKET = "scripts"
SECRET = "runner/awsuser"


@dataclass(frozen=True)
class Outcome:
    """The job's error (None if it succeeded) and its log."""

    error: str | None
    log: str
