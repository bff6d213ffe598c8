"""Every address of every service that can be read is walked, or it stands here with the reason why not."""

import json
from collections.abc import Iterable, Iterator

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from tests.journeys.stack import Stack

NOT_WALKED = {
    "/static/<path:filename>": "the stylesheet, the script and the icon, which every page asks for",
    "/demo/static/<path:filename>": "the demo's own stylesheet",
    "/livez": "for machines",
    "/readyz": "for machines",
    "/sms/kannel/in": "for Kannel",
    "/sms/kannel/receipt": "for Kannel",
    "/cal/<token>.ics": "a file for a calendar program",
    "/me/cal/<token>.ics": "a file for a calendar program",
    "/me/calendar.ics": "a file for a calendar program",
    "/s/calendar.ics": "a file for a calendar program",
    "/cgi-bin/sendsms": "for notify: what stands for Kannel in the demo",
    "/demo/api/accepted": "for make journey",
    "/demo/inbox/<id>/html": "an e-mail's HTML, looked at as a letter",
}
# In a process of its own, as a web process of the product reads its settings.
SAID_BY_THE_PRODUCT = """
import json
from flask import Flask
from deploy.demo.pages import pages
from deploy.demo.web import make_website
apps = [*make_website().apps, Flask("demo", static_folder=None)]
apps[-1].register_blueprint(pages)
print(json.dumps(sorted({rule.rule for app in apps for rule in app.url_map.iter_rules() if "GET" in rule.methods})))
"""


def readable(stack: Stack) -> list[str]:
    return list(json.loads(stack.run("-c", SAID_BY_THE_PRODUCT).splitlines()[-1]))


def not_walked(rules: Iterable[str], paths: Iterable[str]) -> Iterator[str]:
    """`paths` were read on the walk. An address that is excused and was read, or is no more, is named too."""
    known, read = list(rules), set(paths)
    walked = {rule for rule in known if any(_is_of(rule, path) for path in read)}
    for rule in known:
        if rule not in walked and rule not in NOT_WALKED:
            yield f"{rule} is read by nobody: walk it in tests/gates/states, or say in tests/gates/routes.py why not"
    for rule in NOT_WALKED:
        if rule in walked or rule not in known:
            yield f"{rule} stands in tests/gates/routes.py, and it {'is walked' if rule in walked else 'is no more'}"


def _is_of(rule: str, path: str) -> bool:
    try:
        Map([Rule(rule, endpoint="it", methods=["GET"])], strict_slashes=True).bind("walk").match(path, method="GET")
    except HTTPException:
        return False
    return True
