"""deploy/setup declares queues without the services' code, from a list that must not grow stale."""

from deploy.setup import SERVICES, files
from deploy.setup.hears import heard, heard_in_the_code
from shared.bus.topology import rights_of


def test_the_written_list_is_what_the_handlers_hear() -> None:
    assert heard() == heard_in_the_code(), "write it again: python -m deploy.setup hears > deploy/setup/hears.json"


def test_each_service_has_a_user_of_its_own_with_a_password_that_is_not_written_down() -> None:
    passwords = {name: f"open {name}" for name in files.PASSWORDS}
    written = files.definitions(passwords)
    assert {user["name"] for user in written["users"]} == {"setup", *SERVICES}
    assert not any(password in str(written) for password in passwords.values())


def test_a_service_may_declare_nothing_and_read_nothing_of_the_others() -> None:
    for row in files.definitions(dict.fromkeys(files.PASSWORDS, "x"))["permissions"]:
        if row["user"] != "setup":
            rights = rights_of(row["user"])
            assert (row["configure"], row["write"], row["read"]) == (rights.configure, rights.write, rights.read)
            assert row["configure"] == "^$"
