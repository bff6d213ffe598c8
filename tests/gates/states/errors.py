"""What went wrong, said kindly."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from pymongo.errors import ServerSelectionTimeoutError

from shared.programme import read_programme
from shared.service import Service
from shared.web.app import web_app
from tests.gates.page_state import PageState
from tests.gates.visitor import Visitor
from tests.gates.walk import Walk
from tests.journeys.stack import Stack
from tests.web_settings import settings_for_pages

A_LOT = "a" * 40_000
TRIES = 30


def prepare(stack: Stack, languages: Sequence[str]) -> None:
    """Those who are here suffice."""


def states(walk: Walk) -> Iterator[PageState]:
    visitor = walk.visitor()
    for path, name in (
        ("/nothing-here", "404"),
        ("/people/nobody-is-called-this", "404/no such person"),
        ("/s/out", "405"),
        ("/o/not-a-link", "410"),
        ("/o", "410/no offer is open"),
    ):
        visitor.go(path)
        yield visitor.look(f"error {name}")
    visitor.go("/s/in/not-a-link").press("main form button")
    yield visitor.look("error 410/a link that has ended")
    yield from _posted(walk)
    yield _once_more(walk)
    yield _not_understood(walk)
    yield _too_many_tries(walk)
    yield from _at_the_desk(walk)
    yield from _broken(walk)
    yield PageState(
        "away for a moment", walk.language, f"{walk.stack.url}/away.html", Path("deploy/away.html").read_text(), "plain"
    )


def _posted(walk: Walk) -> Iterator[PageState]:
    elsewhere = {"Origin": "https://elsewhere.example"}
    for name, headers, typed in (("413", {}, A_LOT), ("403", elsewhere, "Sam")):
        visitor = walk.visitor().go("/ask/2")
        answer = visitor.context.request.post(f"{walk.stack.url}/ask/2", headers=headers, form={"name": typed})
        assert str(answer.status) == name
        yield replace(visitor.look(f"error {name}"), html=answer.text())


def _once_more(walk: Walk) -> PageState:
    """The browser forgot what makes the form ours."""
    visitor = walk.visitor().go("/ask/1?mode=suggest")
    visitor.press()
    visitor.fill(name="<Sam> 李雷")
    visitor.context.clear_cookies()
    visitor.press()
    return visitor.look("once more")


def _too_many_tries(walk: Walk) -> PageState:
    visitor = walk.visitor().go("/me")
    form = {"csrf_token": _token(visitor), "email": ""}
    for _ in range(TRIES):
        if visitor.context.request.post(f"{walk.stack.url}/me/sign-in", form=form).status == 429:
            break
    visitor.press()
    return visitor.look("error 429")


def _token(visitor: Visitor) -> str:
    return str(visitor.see("[name=csrf_token]").first.get_attribute("value"))


def _not_understood(walk: Walk) -> PageState:
    """A form with a field that is not ours."""
    visitor = walk.visitor().go("/ask/1?mode=suggest")
    visitor.press()
    typed = {"csrf_token": _token(visitor), "name": "Sam", "not_ours": "1"}
    answer = visitor.context.request.post(f"{walk.stack.url}/ask/2", form=typed)
    assert answer.status == 400, answer.status
    return replace(visitor.look("error 400"), html=answer.text())


def _at_the_desk(walk: Walk) -> Iterator[PageState]:
    visitor = walk.signed_in_as(walk.coordinator, "c")
    for path, name in (("/c/requests/none", "no such request"), ("/c/people/none", "no such practitioner")):
        yield visitor.go(path).look(f"error 404/{name}")


def _broken(walk: Walk) -> Iterator[PageState]:
    """What every service shows when a page fails or its database is away: shown by a service of our own, so that none has to."""
    with TemporaryDirectory() as folder:
        Path(folder, "broken.secret").write_text("of this walk alone")
        service = Service("broken")
        service.programme = read_programme(Path("deploy/programme.toml"))
        app = web_app(service, replace(settings_for_pages(Path(folder)), log_level="CRITICAL"), __name__)
        app.logger.disabled = True
        app.add_url_rule("/500", view_func=lambda: [][0], endpoint="fails")
        app.add_url_rule("/503", view_func=_no_database, endpoint="has no database")
        for status in (500, 503):
            answer = app.test_client().get(f"/{status}?lang={walk.language}")
            assert answer.status_code == status
            yield PageState(f"error {status}", walk.language, f"{walk.stack.url}/{status}", answer.text)


def _no_database() -> str:
    raise ServerSelectionTimeoutError("no server")
