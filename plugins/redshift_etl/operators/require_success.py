"""Have a run fail in which a task did not succeed, whoever ended the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from airflow.sdk import Context


class NotSucceededError(AirflowFailException):
    """A task that the run is for has not succeeded."""


class RequireSuccessOperator(BaseOperator):
    """Fails unless tasks of its run have succeeded; meant as a teardown that fails the run.

    Who marks a run as failed makes Airflow skip what has not begun, and run the teardowns; then it judges the
    run by its last task, and a skipped one counts as a success. This task is not skipped and tells the truth.
    It sends no alert: the task that failed has, and who marks a run knows.

    Args:
        required: The tasks.
        kwargs: BaseOperator's arguments.
    """

    template_fields: Sequence[str] = ("required",)
    ui_color = "#e8e8e8"

    def __init__(self, *, required: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs | {"retries": 0, "on_failure_callback": None})
        self.required = required

    def execute(self, context: Context) -> None:
        """Look at the tasks' states.

        Raises:
            NotSucceededError: One of them has not succeeded.
        """
        ti: Any = context["ti"]
        states = ti.get_task_states(dag_id=ti.dag_id, task_ids=list(self.required), run_ids=[ti.run_id])
        found = states.get(ti.run_id, {})
        for task_id in self.required:
            if (state := found.get(task_id)) != "success":
                raise NotSucceededError(
                    f"{task_id} is {state or 'not run'}, so this run has failed: clear what failed before it."
                )
