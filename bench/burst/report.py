"""The tables, and the last line."""

import math
import statistics
from collections.abc import Callable, Sequence
from itertools import pairwise
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


Figure = Callable[[Run], float]
FIGURES: Sequence[tuple[str, Figure]] = (
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


def show(products: Sequence[Run], floors: Sequence[Run]) -> None:
    for runs in filter(None, (products, floors)):
        show_processes(runs)
    show_commands(products, floors)
    show_figures(products, floors)


def show_processes(runs: Sequence[Run]) -> None:
    table = Table("process", "CPU ms a request, burst", "paced", "RSS MB", "PSS MB", title=runs[0].name, title_justify="left")
    memory = runs[-1].memory
    for name, used in memory.items():
        figures = (lambda run, name=name: run.burst.cpu[name]), (lambda run, name=name: run.paced.cpu[name])
        table.add_row(name, *(f"{value:.1f}" for value in (*(median_of(one, runs) for one in figures), used.rss, used.pss)))
    cpus = median_of(lambda run: cpu(run.burst), runs), median_of(lambda run: cpu(run.paced), runs)
    rss = sum(used.rss for used in memory.values())
    table.add_row("together", *(f"{value:.1f}" for value in (*cpus, rss, pss(runs[-1]))))
    console.print(table)


def show_commands(products: Sequence[Run], floors: Sequence[Run]) -> None:
    columns = [(products, "paced"), (products, "burst"), *((floors, "burst") for _ in floors[:1])]
    table = Table("database commands a request", "paced", "burst", *("floor, burst" for _ in floors[:1]))
    found = (commands(getattr(run, phase).database) for runs, phase in columns for run in runs)
    names = {name: None for each in found for name, amount in each.items() if amount >= SHOWN_FROM}
    for name in names:
        table.add_row(name, *(f"{_median_of_command(name, phase, runs):.2f}" for runs, phase in columns))
    table.caption = "serverStatus().metrics.commands, without what is sent each second when nothing is asked"
    console.print(table)


def _median_of_command(name: str, phase: str, runs: Sequence[Run]) -> float:
    return median_of(lambda run: getattr(run, phase).database.get(name, 0.0), runs)


def show_figures(products: Sequence[Run], floors: Sequence[Run]) -> None:
    systems = [runs for runs in (products, floors) if runs]
    table = Table("median of the rounds", *(runs[0].name for runs in systems), *("of the floor" for _ in floors[:1]))
    for name, figure in FIGURES:
        values = [f"{median_of(figure, runs):.2f}" for runs in systems]
        table.add_row(name, *values, *(_ratio(of_floor(figure, products, floors)) for _ in floors[:1]))
    console.print(table)
    if floors:
        show_rounds(products, floors)


def show_rounds(products: Sequence[Run], floors: Sequence[Run]) -> None:
    """In the order in which they were measured: floor, product, floor, ..."""
    for name, figure in (FIGURES[0], FIGURES[2], FIGURES[3]):
        values = [f"{figure(floors[0]):.1f}"]
        for product, floor in zip(products, floors[1:], strict=True):
            values += [f"[{figure(product):.1f}]", f"{figure(floor):.1f}"]
        print(f"{name}, floor and [product] by turns:", *values)


def _ratio(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.2f}"


def show_logs(folder: Path) -> None:
    """The last lines of each process."""
    for file in sorted(folder.iterdir()):
        print(file.name, *file.read_text().splitlines()[-LINES_OF_A_LOG:], sep="\n  ")


def median_of(figure: Figure, runs: Sequence[Run]) -> float:
    return statistics.median(map(figure, runs))


def ratios(figure: Figure, products: Sequence[Run], floors: Sequence[Run]) -> list[float]:
    """Each round beside the mean of the floor just before and just after it."""
    beside = [statistics.mean(map(figure, around)) for around in pairwise(floors)]
    return [figure(run) / floor if floor else math.nan for run, floor in zip(products, beside, strict=True)]


def of_floor(figure: Figure, products: Sequence[Run], floors: Sequence[Run]) -> float:
    return statistics.median(ratios(figure, products, floors))


def last_line(products: Sequence[Run], floors: Sequence[Run], killed: Sequence[str] | None) -> tuple[str, bool]:
    """And whether all is well: every letter came, none twice. A worker that was killed may send some again, under their own
    Message-ID."""
    phases = [phase for run in products for phase in (run.paced, run.burst)]
    missing, refused = sum(phase.missing for phase in phases), sum(phase.not_accepted for phase in phases)
    repeated = [letters for phase in phases for letters in phase.repeated]
    different = sum(len({letter.message_id for letter in letters}) > 1 for letters in repeated)
    complete = min(len(run.burst.complete) for run in products)
    parts = [f"burst {complete} ok", f"{median_of(rate, products):.1f}/s"]
    if killed is not None:
        same = len(repeated) - different
        parts += [f"{len(killed)} killed", f"lost {missing}", f"twice {same}, all of them with the same Message-ID"]
    well = not (missing or refused or different or (repeated and killed is None))
    if not well:
        parts += [f"{missing} letters missing", f"{len(repeated)} twice ({different} with another Message-ID)"]
        parts += [f"{refused} requests not accepted"]
    elif floors:
        parts += [f"{of_floor(rate, products, floors):.2f} of the floor"]
        parts += [f"{of_floor(lambda run: cpu(run.burst), products, floors):.2f} times its CPU"]
    return ", ".join(parts), well
