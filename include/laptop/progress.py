"""What a person sees while a DAG run goes on: every task, its state and its time."""

import time
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from laptop.airflow import AirflowApi
from laptop.processes import Processes

ENDED = {"success", "failed", "upstream_failed", "skipped", "removed"}
SYMBOLS = {
    "success": "[green]✔[/]",
    "failed": "[red]✘[/]",
    "upstream_failed": "[red]⇡[/]",
    "skipped": "[dim]↷[/]",
    "running": "[cyan]▶[/]",
    "deferred": "[cyan]⧗[/]",
    "up_for_retry": "[yellow]↻[/]",
}
POLL_SECONDS = 0.5


def follow(
    api: AirflowApi, dag_id: str, run_id: str, *, title: str, console: Console, processes: Processes
) -> str:
    """Show a run until it ends: live in a terminal, one line per finished task elsewhere.

    Args:
        api: Airflow.
        dag_id: The DAG.
        run_id: The run.
        title: What the run is called on the screen.
        console: Where to show it.
        processes: Checked on the way: a dead process ends the wait with its error.

    Returns:
        The final state: success or failed.
    """
    started = time.monotonic()
    reported: set[str] = set()
    with Live(console=console, transient=True, auto_refresh=False) as live:
        while True:
            processes.require_alive()
            state = api.run_state(dag_id, run_id)
            instances = api.task_instances(dag_id, run_id)
            if console.is_terminal:
                live.update(_table(title, state, instances), refresh=True)
            else:
                _print_news(title, instances, reported, console)
            if state in {"success", "failed"}:
                break
            time.sleep(POLL_SECONDS)
    done = sum(instance["state"] == "success" for instance in instances)
    symbol = SYMBOLS.get(state, "·")
    seconds = time.monotonic() - started
    console.print(f"{symbol} {title}: {state}, {done} of {len(instances)} tasks, {seconds:.0f} s")
    return state


def print_failures(api: AirflowApi, dag_id: str, run_id: str, console: Console) -> None:
    """Print the end of the log of every task of the run that failed."""
    for instance in api.task_instances(dag_id, run_id):
        if instance["state"] == "failed":
            lines = api.task_log(dag_id, run_id, instance["task_id"], instance["try_number"])
            console.print(f"[red]{instance['task_id']} failed.[/] Its log ends:")
            console.print(Text("\n".join(f"  {line}" for line in lines[-12:])))


def _table(title: str, state: str, instances: list[dict[str, Any]]) -> Table:
    table = Table(title=f"{title}: {state}", title_justify="left", box=None, show_header=False)
    for instance in sorted(instances, key=lambda i: (i["start_date"] or "9999", i["task_id"])):
        task_state = instance["state"] or "waiting"
        duration = f"{instance['duration']:.1f} s" if instance["duration"] else ""
        table.add_row(SYMBOLS.get(task_state, "[dim]·[/]"), instance["task_id"], task_state, duration)
    return table


def _print_news(title: str, instances: list[dict[str, Any]], reported: set[str], console: Console) -> None:
    for instance in sorted(instances, key=lambda i: i["end_date"] or ""):
        if instance["state"] in ENDED and instance["task_id"] not in reported:
            reported.add(instance["task_id"])
            duration = f"{instance['duration'] or 0:.1f} s"
            console.print(f"  {title}  {instance['task_id']:<34} {instance['state']:<16} {duration:>8}")
