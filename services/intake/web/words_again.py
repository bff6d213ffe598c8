"""Their words for matching once more, from their own copy."""

from services.intake import forms
from services.intake.domain import Draft, Request
from services.intake.handlers import access, service
from services.intake.handlers.corrections import SendAnswersAgain, send_answers_again
from shared.contracts import MatchMade


def send_words_again(sent: Request, key: bytes | None) -> None:
    """For whoever is asked after meetings that end: what matching had of their words may be gone since the yes."""
    if key is None or not any(event.event_type == MatchMade.event_type for event in sent.history):
        return
    typed = access.own_answers(sent, key)
    answers, _ = forms.read_all(typed, service.programme.time_zone)
    if answers:
        draft = Draft(person_id=sent.person_id, request_id=sent.id, key=key, typed=typed)
        service.run(send_answers_again, SendAnswersAgain(draft, answers))
