"""deploy/setup declares queues without the services' code, from a list that must not grow stale, and makes the broker's users."""

import pytest

from deploy.setup import SERVICES, files
from deploy.setup.subscriptions import read_subscriptions, subscriptions_in_the_code
from shared.bus.topology import EXCHANGES, permissions_of

NO_PASSWORDS = dict.fromkeys(files.PASSWORDS, "x")


def test_the_written_subscriptions_are_those_of_the_handlers() -> None:
    again = "python -m deploy.setup subscriptions > deploy/setup/subscriptions.json"
    assert read_subscriptions() == subscriptions_in_the_code(), f"write them again: {again}"


def test_each_service_has_a_user_of_its_own_with_a_password_that_is_not_written_down() -> None:
    passwords = {name: f"open {name}" for name in files.PASSWORDS}
    written = files.definitions(passwords)
    assert {user["name"] for user in written["users"]} == {"setup", *SERVICES}
    assert not any(password in str(written) for password in passwords.values())


def test_no_user_may_impersonate_another() -> None:
    assert [user["tags"] for user in files.definitions(NO_PASSWORDS)["users"]] == [[]] * 4


@pytest.mark.parametrize("service", SERVICES)
def test_the_definitions_grant_each_service_its_permissions(service: str) -> None:
    written, granted = files.definitions(NO_PASSWORDS), permissions_of(service)
    [row] = [row for row in written["permissions"] if row["user"] == service]
    assert (row["configure"], row["write"], row["read"]) == (granted.configure, granted.write, granted.read)
    topics = {row["exchange"]: row["write"] for row in written["topic_permissions"] if row["user"] == service}
    assert topics == granted.topics
    assert topics.keys() == set(EXCHANGES)
