"""The tables, and the last line."""

import math
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.burst.counters import ABORTED, FLUSHES, TRANSACTIONS, commands
from bench.burst.measure import Phase, Run

SHOWN_FROM = 0.05  # commands a request
LINES_OF_A_LOG = 10
console = Console(width=120)


def median_to_offer(run: Run) -> float:
    return statistics.median(run.paced.milliseconds_to_offer or [float("nan")])


def p99_to_offer(run: Run) -> float:
    times = run.paced.milliseconds_to_offer or [float("nan")]
    return times[min(len(times) - 1, int(len(times) * 0.99))]


def rate(run: Run) -> float:
    return len(run.burst.complete) / run.burst.seconds if run.burst.complete else 0


def cpu(phase: Phase) -> float:
    return sum(phase.cpu.values())


def number_of_commands(phase: Phase) -> float:
    return sum(commands(phase.database).values())


def pss(run: Run) -> float:
    return sum(memory.pss for memory in run.memory.values())


FIGURES: Sequence[tuple[str, Callable[[Run], float]]] = (
    ("Send to offer at the mail server, median ms, paced", median_to_offer),
    ("the same, p99 ms", p99_to_offer),
    ("requests a second, burst", rate),
    ("CPU ms a request, burst", lambda run: cpu(run.burst)),
    ("CPU ms a request, paced", lambda run: cpu(run.paced)),
    ("database commands a request, burst", lambda run: number_of_commands(run.burst)),
    ("database commands a request, paced", lambda run: number_of_commands(run.paced)),
    *(
        (f"{name} a request, {phase}", lambda run, name=name, phase=phase: getattr(run, phase).database.get(name, 0.0))
        for name in (TRANSACTIONS, ABORTED, FLUSHES)
        for phase in ("burst", "paced")
    ),
    ("MB (PSS), servers included", pss),
)


def show(product: Run, floors: Sequence[Run]) -> None:
    for run in (product, *floors):
        show_processes(run)
    show_commands(product, floors)
    show_figures(product, floors)


def show_processes(run: Run) -> None:
    table = Table("process", "CPU ms a request, burst", "paced", "RSS MB", "PSS MB", title=run.name, title_justify="left")
    for name, memory in run.memory.items():
        used = run.burst.cpu[name], run.paced.cpu[name], memory.rss, memory.pss
        table.add_row(name, *(f"{value:.1f}" for value in used))
    rss = sum(memory.rss for memory in run.memory.values())
    table.add_row("together", *(f"{value:.1f}" for value in (cpu(run.burst), cpu(run.paced), rss, pss(run))))
    console.print(table)


def show_commands(product: Run, floors: Sequence[Run]) -> None:
    phases = [product.paced, product.burst, *(run.burst for run in floors[:1])]
    table = Table("database commands a request", "paced", "burst", *("floor, burst" for _ in floors[:1]))
    names = {name: None for phase in phases for name, amount in commands(phase.database).items() if amount >= SHOWN_FROM}
    for name in names:
        table.add_row(name, *(f"{phase.database.get(name, 0):.2f}" for phase in phases))
    table.caption = "serverStatus().metrics.commands, without what the same processes send each second when idle"
    console.print(table)


def show_figures(product: Run, floors: Sequence[Run]) -> None:
    runs = [product, *floors]
    table = Table("", *(run.name for run in runs), *("of the floor" for _ in floors[:1]))
    for name, figure in FIGURES:
        values = [f"{figure(run):.2f}" for run in runs]
        table.add_row(name, *values, *(_ratio(of_floor(figure, product, floors)) for _ in floors[:1]))
    console.print(table)


def _ratio(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.2f}"


def show_logs(folder: Path) -> None:
    """The last lines of each process."""
    for file in sorted(folder.iterdir()):
        print(file.name, *file.read_text().splitlines()[-LINES_OF_A_LOG:], sep="\n  ")


def of_floor(figure: Callable[[Run], float], product: Run, floors: Sequence[Run]) -> float:
    floor = statistics.mean(map(figure, floors))
    return figure(product) / floor if floor else float("nan")


def last_line(product: Run, floors: Sequence[Run], killed: Sequence[str] | None) -> tuple[str, bool]:
    """And whether all is well: every letter came, none twice. A worker that was killed may send some again, under their own
    Message-ID."""
    phases = (product.paced, product.burst)
    missing, refused = sum(phase.missing for phase in phases), sum(phase.not_accepted for phase in phases)
    repeated = [letters for phase in phases for letters in phase.repeated]
    different = sum(len({letter.message_id for letter in letters}) > 1 for letters in repeated)
    parts = [f"burst {len(product.burst.complete)} ok", f"{rate(product):.1f}/s"]
    if killed is not None:
        same = len(repeated) - different
        parts += [f"{len(killed)} killed", f"lost {missing}", f"twice {same}, all of them with the same Message-ID"]
    well = not (missing or refused or different or (repeated and killed is None))
    if not well:
        parts += [f"{missing} letters missing", f"{len(repeated)} twice ({different} with another Message-ID)"]
        parts += [f"{refused} requests not accepted"]
    elif floors:
        parts += [f"{of_floor(rate, product, floors):.2f} of the floor"]
        parts += [f"{of_floor(lambda run: cpu(run.burst), product, floors):.2f} times its CPU"]
    return ", ".join(parts), well
