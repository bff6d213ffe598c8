"""What a store writes of an object is what it reads again."""

import pytest

from services.matching.domain import CoordinatorTask, Hours, Note, Practitioner, Request
from shared.contracts import Choice, EncryptedFields
from shared.documents import from_document, load_all, to_document
from shared.logs import JsonLine
from tests.people import MONDAY, a_practitioner, a_request

WORDS = EncryptedFields(person_id="p1", wrap="w", fields={"words": "x"})


@pytest.mark.parametrize(
    "item",
    [
        a_practitioner(hours=(Hours(day=1, start=60, end=120),), contact=WORDS, last_asked_at=MONDAY, taken=2, places=3),
        a_practitioner(),
        a_request(("ana", "wait"), "kai", encrypted=WORDS, asked=("mo",), help=("forms",)),
        CoordinatorTask(id="t1", reason="wrote", since=MONDAY, due_at=MONDAY),
        Note(id="n1", request_id="r1", encrypted="x", at=MONDAY, coordinator_id="ro"),
    ],
)
def test_an_object_survives_its_document(item: Practitioner | Request | CoordinatorTask | Note) -> None:
    again = from_document(type(item), to_document(item))
    assert again == item


def test_what_is_absent_is_not_stored_and_read_as_absent() -> None:
    document = to_document(a_practitioner())
    assert {"email_index", "contact", "resting_until"} & document.keys() == set()
    assert from_document(Practitioner, document).contact is None


def test_what_only_memory_knows_is_not_stored() -> None:
    practitioner = a_practitioner(reserved=1, made_room=True)
    assert {"reserved", "made_room", "stored_version"} & to_document(practitioner).keys() == set()


def test_further_values_are_stored_and_not_read_back() -> None:
    document = to_document(a_request(), {"queue": "named", "nothing": None})
    assert document["queue"] == "named"
    assert "nothing" not in document
    assert from_document(Request, document).queue is None


def test_a_choice_is_read_as_a_choice() -> None:
    assert from_document(Request, to_document(a_request(("ana", "wait")))).choices == (
        Choice(practitioner_id="ana", if_not="wait"),
    )


def test_a_value_of_another_type_is_not_read() -> None:
    with pytest.raises(TypeError):
        from_document(Request, {**to_document(a_request()), "submitted_at": "yesterday"})


def test_documents_that_cannot_be_read_are_left_out_and_named_without_their_content(caplog: pytest.LogCaptureFixture) -> None:
    whole = to_document(a_request(id="r1"))
    broken = [{"_id": "r2", "mode": "anyone"}, {**whole, "_id": "r3", "choices": ["secret"]}]
    assert [request.id for request in load_all(Request, [*broken, whole])] == ["r1"]
    assert [record.__dict__["document_id"] for record in caplog.records] == ["r2", "r3"]
    assert "secret" not in "".join(JsonLine("matching").format(record) for record in caplog.records)
