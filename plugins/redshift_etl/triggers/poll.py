"""Wait for work in AWS from the triggerer, and cancel it there, through whatever passes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk import TaskInstanceState
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from asgiref.sync import sync_to_async
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
    from airflow.sdk.types import Logger
    from airflow.triggers.base import BaseTrigger

LONGEST_PAUSE: Final = 60.0
CANCEL_PAUSE: Final = 1.0
CANCEL_SECONDS: Final = 120.0

_CANCELLING: Final[set[asyncio.Task[None]]] = set()


async def until_ended(
    hook: AwsGenericHook[Any],
    ended: Callable[[Any], Awaitable[bool]],
    *,
    name: str,
    interval: float,
    permanent_errors: Collection[str],
    log: Logger,
) -> None:
    """Return once the work is at an end, or its state cannot be read and asking again cannot help.

    Args:
        hook: Makes the clients.
        ended: Asks AWS, by the client it is given, whether the work is at an end.
        name: What to call the work in the log.
        interval: Seconds between two looks.
        permanent_errors: AWS's codes after which asking again cannot help.
        log: The triggerer's log.
    """
    failures = 0
    while True:
        try:
            # A client per streak of good answers: after an error its credentials and connections are new.
            async with await hook.get_async_conn() as client:  # type: ignore[no-untyped-call]  # provider
                while not await ended(client):
                    failures = 0
                    await asyncio.sleep(interval)
        except Exception as error:  # noqa: BLE001 - whatever ended this poll, the work still goes on
            if isinstance(error, ClientError) and error.response["Error"]["Code"] in permanent_errors:
                return
            failures += 1
            pause = min(interval * 2**failures, LONGEST_PAUSE)
            log.warning("Cannot read the state of %s (%s); asking again in %.0f s.", name, error, pause)
            await asyncio.sleep(pause)
        else:
            return


async def cancel(
    trigger: BaseTrigger,
    hook: AwsGenericHook[Any],
    stop: Callable[[Any], Awaitable[object]],
    ended: Callable[[Any], Awaitable[bool]],
    *,
    name: str,
    permanent_errors: Collection[str],
) -> None:
    """Stop the work and see it end, unless the task still waits for it.

    Airflow 3.3 calls a trigger's `on_kill` after a user's action, and also when another triggerer has taken
    the trigger over because this one's heartbeat was late. Then the task is still deferred. And it cancels
    an `on_kill` that goes on for more than a second, so the cancelling is a task of its own.

    Args:
        trigger: The trigger that is told to stop.
        hook: Makes the clients.
        stop: Asks AWS, by the client it is given, to stop the work.
        ended: Asks AWS, by the client it is given, whether the work is at an end.
        name: What to call the work in the log.
        permanent_errors: AWS's codes after which asking again cannot help.
    """

    async def ask_to_stop(client: Any) -> None:
        try:
            await stop(client)
        except ClientError as error:
            # AWS may refuse to stop what has not begun; `ended` tells what is at an end.
            trigger.log.warning("Cannot cancel %s yet: %s", name, error)

    async def cancelling() -> None:
        trigger.log.info("Cancelling %s, unless its task still waits for it.", name)
        while True:
            try:
                if await _still_waits(trigger):
                    trigger.log.info("Another triggerer waits for %s from here on.", name)
                    return
                async with await hook.get_async_conn() as client:  # type: ignore[no-untyped-call]  # provider
                    while not await ended(client):
                        await ask_to_stop(client)
                        await asyncio.sleep(CANCEL_PAUSE)
            except Exception as error:  # noqa: BLE001 - whatever it was, the work may still go on
                if isinstance(error, ClientError) and error.response["Error"]["Code"] in permanent_errors:
                    trigger.log.warning("Cannot cancel %s: %s", name, error)
                    return
                trigger.log.warning("Cannot cancel %s (%s); asking again.", name, error)
                await asyncio.sleep(CANCEL_PAUSE)
            else:
                trigger.log.info("%s has ended.", name.capitalize())
                return

    task = asyncio.create_task(asyncio.wait_for(cancelling(), CANCEL_SECONDS))
    _CANCELLING.add(task)  # asyncio itself keeps no task alive
    task.add_done_callback(_CANCELLING.discard)
    await asyncio.shield(task)


async def _still_waits(trigger: BaseTrigger) -> bool:
    ti = trigger.task_instance
    if ti is None:
        return False
    states = await sync_to_async(RuntimeTaskInstance.get_task_states)(
        dag_id=ti.dag_id, task_ids=[ti.task_id], run_ids=[ti.run_id], map_index=ti.map_index
    )
    # Empty when the run is deleted.
    return TaskInstanceState.DEFERRED in states.get(ti.run_id, {}).values()
