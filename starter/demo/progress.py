"""What the demo shows in the terminal while it plays, and the table at its end."""

from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from models.text import visible
from starter.demo.story import PlayedStory

_YES: Final = "yes"
_NO: Final = "NO"


class StoryProgress:
    """One line per story, while it is entered: on a terminal they move, elsewhere each is said once."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Progress | None = None
        if console.is_terminal:
            self._live = Progress(
                SpinnerColumn(finished_text="[green]·[/]"),
                TextColumn("{task.fields[number]:<9}{task.description}", markup=False),
                TextColumn("{task.fields[step]}", style="dim", markup=False),
                TimeElapsedColumn(),
                console=console,
            )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def begin(self, order_id: str, title: str) -> None:
        if self._live is not None:
            self._tasks[order_id] = self._live.add_task(title, total=1, number=order_id, step="")

    def step(self, order_id: str, what: str) -> None:
        if self._live is not None:
            self._live.update(self._tasks[order_id], step=what)

    def end(self, order_id: str, title: str, how: str) -> None:
        if self._live is not None:
            self._live.update(self._tasks[order_id], completed=1, step=how)
        else:
            self._console.print(Text(f"  {order_id}  {title}: {how}"))


def show_table(console: Console, played: Sequence[PlayedStory], ui_list: str) -> None:
    """One row per case: its story, how it ended, whether that was expected, and where to look at it."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("case", no_wrap=True)
    table.add_column("story", overflow="fold")
    table.add_column("how it ended", overflow="fold")
    table.add_column("as expected", no_wrap=True)
    for story in played:
        _add_story(table, story, ui_list)
    console.print(table, soft_wrap=False)


def _add_story(table: Table, story: PlayedStory, ui_list: str) -> None:
    for position, case in enumerate(story.cases):
        link = f"{ui_list}/{case.workflow_id}"
        table.add_row(
            Text(case.workflow_id, style=f"link {link}"),
            Text.assemble(f"{story.title}\n" if position == 0 else "", (link, f"dim link {link}")),
            Text(visible(case.how)),
            Text(_YES, style="green") if case.as_expected else Text(_NO, style="bold red"),
        )
    if not story.cases:
        table.add_row(Text(""), Text(story.title), Text("did not end"), Text(_NO, style="bold red"))
    for miss in story.misses:
        table.add_row(
            Text(""), Text(visible(f"not as expected: {miss}"), style="red"), Text(""), Text(_NO, style="bold red")
        )
