"""make path: one request through the product in one process, on a real MongoDB, SMTP and text gateway: how much code it enters.

The path is the README's: Send is pressed (1, 2), matching gets the request (3, 4), notify gets the offer (5), and delivers it by
e-mail and by text (6). Events are passed by hand, so that the bus is not on the way. Every function entered in between is
recorded by the interpreter's profile hook, in every thread. Counted are the files and the lines of services/ that these
functions occupy, definition and blank lines included.
"""

import ast
import os
import re
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from rich.console import Console
from rich.table import Table
from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from bench.form import FormOnPage
from deploy.local.mail_sink import Accepted, MailSink, serve
from deploy.local.sms_gateway import Phones
from deploy.local.stack import ROOT, LocalStack, settings, without_floods
from deploy.servers import mongod
from deploy.servers.processes import free_port, wait_until
from shared import vault

STOPS = ("1 the page, 2 the request", "3 who is asked, 4 the decision", "5 the notification")
DELIVERY = "6 e-mail and text"
PRACTITIONER = {"name": "Juniper", "email": "juniper@path.example", "phone": "+12025550101", "languages": "en", "state": "open"}


class Trace:
    """The functions that were entered, by stop. What other threads do while the request is on its way is its delivery."""

    def __init__(self) -> None:
        self.entered: dict[str, set[CodeType]] = defaultdict(set)
        self._stop = ""
        threading.setprofile(self._record)  # for threads that begin from now on

    @contextmanager
    def stop(self, name: str) -> Iterator[None]:
        self._stop = name
        sys.setprofile(self._record)
        try:
            yield
        finally:
            sys.setprofile(None)
            self._stop = ""

    def _record(self, frame: FrameType, happened: str, _: Any) -> None:
        if happened == "call" and self._stop:
            is_main = threading.current_thread() is threading.main_thread()
            self.entered[self._stop if is_main else DELIVERY].add(frame.f_code)


def lines_of(functions: Iterable[CodeType], folder: str) -> tuple[set[str], set[tuple[str, int]]]:
    """The files below `folder` with one of these functions, and the (file, line) that the functions occupy."""
    files, lines = set(), set()
    for code in functions:
        file = code.co_filename
        if code.co_name != "<module>" and file.startswith(str(ROOT / folder)) and file.endswith(".py"):  # not templates
            files.add(file)
            lines |= {(file, line) for line in extent_of(file).get(code.co_firstlineno, ())}
    return files, lines


@cache
def extent_of(file: str) -> dict[int, range]:
    """Line where a function begins (with its decorators) -> its lines."""
    found = {}
    for node in ast.walk(ast.parse(Path(file).read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            begin = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            found[begin] = range(begin, (node.end_lineno or node.lineno) + 1)
    return found


class Product:
    """The three services in this process. Settings are in the environment already."""

    def __init__(self) -> None:
        from services.intake.handlers import service as intake
        from services.matching.handlers import service as matching
        from services.notify.handlers import service as notify
        from shared.settings import read_core

        self.intake, self.matching, self.notify = intake, matching, notify
        for service in (intake, matching, notify):
            service.start(read_core()).make_indexes()

    def hand_over(self, source: Any, target: Any, *event_types: str) -> None:
        """What the bus does: the events of these types that `source` wrote are received by `target`."""
        from shared.messages import from_json

        for row in list(source.db.outbox.find({"type": {"$in": event_types}})):
            target.receive(from_json(row["body"]))

    def nothing_is_due(self) -> bool:
        """Every notification was sent, and that is recorded."""
        return self.notify.db.notifications.find_one({"next_at": {"$exists": True}}) is None

    def bring_in_practitioner(self) -> None:
        from services.matching.people import check, import_profiles

        entries, problems = check([{**PRACTITIONER, "time_zone": zone_by_day()}], "UTC")
        assert not problems, problems
        import_profiles(entries)
        self.hand_over(self.matching, self.intake, "practitioner.changed.v1")
        self.hand_over(self.matching, self.notify, "team_contact.shared.v1")


def zone_by_day() -> str:
    """Where it is about one in the afternoon now: no quiet hours."""
    return f"Etc/GMT{time.gmtime().tm_hour - 13:+d}"


def fill_in(client: Client) -> dict[str, list[str]]:
    """All pages of the form. Returns what the last one sends."""
    page = client.get("/ask/1?with=juniper", follow_redirects=True)
    answers: list[dict[str, Any]] = [
        {"mode": "chosen"},
        {"name": "Sam"},
        {"words": "Somebody to talk to on Sundays."},
        {"reach": ["email"], "email": "sam@path.example"},
        {},
        {"language": "en"},
        {},
    ]
    for answer in answers:
        data = {**fields_of(page.text), **answer}
        page = client.post(page.request.path, data=data, follow_redirects=True)
    assert page.request.path == "/ask/check", page.request.path
    return fields_of(page.text)


def fields_of(page: str) -> dict[str, list[str]]:
    fields = defaultdict(list)
    for name, value in FormOnPage(page).fields:
        fields[name].append(value)
    return dict(fields)


@contextmanager
def delivery(product: Product) -> Iterator[None]:
    """Notify's tasks that send, running as in its worker. Their start and their end are not on the path."""
    from services.notify.delivery import deliver_notifications
    from shared.settings import read_notify

    deliver_notifications(read_notify())
    stop = threading.Event()
    threads = [threading.Thread(target=task.run, args=(product.notify.db, stop)) for task in product.notify.tasks]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(product.notify.parts) == len(threads), "The sending threads")
    time.sleep(1)  # each waits for work then
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def start_gateways(accepted: list[Accepted]) -> BaseWSGIServer:
    """Mail server and SMS gateway. What they take is added to `accepted`."""
    home, given = Path(os.environ["DEMO_HOME"]), os.environ
    serve(MailSink(home / "emails", accepted), given["SMTP_LISTEN"])
    phones = Phones(home / "texts.jsonl", (given["KANNEL_USER"], given["KANNEL_PASSWORD"]), given["REPLY_URL"], accepted)
    answer = Request.application(lambda asked: Response(*phones.accept(asked.args)))
    server = make_server("127.0.0.1", int(given["PORT"]), answer, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def trace_one_request() -> Trace:
    from services.intake.web import make_app as make_intake

    accepted: list[Accepted] = []
    trace, product = Trace(), Product()
    gateway = start_gateways(accepted)
    client = Client(make_intake())
    product.bring_in_practitioner()
    last_page = fill_in(client)
    with delivery(product):
        with trace.stop(STOPS[0]):
            sent = client.post("/ask/check", data=last_page)
        assert sent.location.endswith("/ask/sent"), sent.location
        with trace.stop(STOPS[1]):
            product.hand_over(product.intake, product.matching, "request.submitted.v1")
        with trace.stop(STOPS[2]):
            product.hand_over(product.matching, product.notify, "offer.made.v1")
        with trace.stop(DELIVERY):
            wait_until(lambda: len(accepted) == 2 and product.nothing_is_due(), "Delivery")
    gateway.shutdown()
    return trace


def report(trace: Trace) -> None:
    table = Table("stop", "functions", "files", "lines", "with shared/: files", "lines")
    everything = set().union(*trace.entered.values())
    for name, functions in [*sorted(trace.entered.items()), ("all", everything)]:
        files, lines = lines_of(functions, "services/")
        more_files, more_lines = lines_of(functions, "shared/")
        count = sum(code.co_filename in files for code in functions)
        table.add_row(name, *map(str, (count, len(files), len(lines), len(files | more_files), len(lines | more_lines))))
    Console(width=110).print(table)
    files, lines = lines_of(everything, "services/")
    for file, count in Counter(file for file, _ in lines).most_common():
        print(f"{count:6} {Path(file).relative_to(ROOT)}")
    print(f"path {stops_in_readme()} stops, {len(files)} files, {len(lines)} lines", flush=True)


def stops_in_readme() -> int:
    section = (ROOT / "README.md").read_text().split("## The path of one request")[1].split("\n## ")[0]
    return len(re.findall(r"^\d+\. ", section, re.M))


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        stack = LocalStack(Path(folder), free_port())
        vault.generate_keys(stack.folder / "keys")
        database = mongod.start(stack.folder)
        chosen = settings(stack, database.url, "amqp://unused") | without_floods(stack)
        os.environ.update(chosen, PORT=str(stack.port), LOG_LEVEL="ERROR")
        try:
            trace = trace_one_request()
        finally:
            database.stop()
    report(trace)
    return 0


if __name__ == "__main__":
    sys.exit(main())
