"""What Airflow finds by itself in `plugins/`: the classes that its own processes look up by name."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from airflow.plugins_manager import AirflowPlugin

from redshift_etl.daily import DailyTimetable
from redshift_etl.deadline import DayAfterReference, QueuedReference

Message = MutableMapping[str, Any]


async def reports_page(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """The Reports page, as an ASGI app.

    Every Airflow process imports this file, each task's too. What the page is made of takes a second to
    import, so it waits for the first request, which only the API server gets.
    """
    from redshift_etl.reports_page.app import app  # noqa: PLC0415

    await app(scope, receive, send)


class RedshiftEtlPlugin(AirflowPlugin):
    """Registers the Reports page, and the schedule and deadlines that scheduler and API server evaluate."""

    name = "redshift_etl"
    timetables: list[Any] = [DailyTimetable]  # noqa: RUF012 - Airflow's base class declares it so
    deadline_references: list[Any] = [  # noqa: RUF012 - Airflow's base class declares it so
        DayAfterReference,
        QueuedReference,
    ]
    fastapi_apps: list[Any] = [  # noqa: RUF012 - as above
        {"app": reports_page, "url_prefix": "/redshift-etl", "name": "Redshift ETL reports"}
    ]
    # Without a slash at its beginning the address is below wherever Airflow is.
    external_views: list[Any] = [  # noqa: RUF012 - as above
        {
            "name": "Reports",
            "href": "redshift-etl/reports",
            "destination": "nav",
            "url_route": "reports",
            "nav_top_level": True,
            "icon": "redshift-etl/static/icon.svg",
            "icon_dark_mode": "redshift-etl/static/icon-dark.svg",
        }
    ]
