"""Poll AWS from the triggerer, with growing pauses, through whatever passes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
    from airflow.sdk.types import Logger

LONGEST_PAUSE: Final = 60.0


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
