"""Progress bars for commands that generate or deliver data."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from datasets.delivery import Progress


@contextmanager
def progress_bars(console: Console) -> Iterator[Progress]:
    """Show one bar for each kind of step that a `Progress` is told about.

    Args:
        console: Where to show them.

    Yields:
        The function to hand to `deliver` and `upload`.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=console) as bars:
        tasks = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what)
            bars.update(tasks[what], completed=done, total=total)

        yield show
