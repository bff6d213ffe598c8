"""The words that pages, e-mails and texts never say to anybody; code is free to. From what the collective says of people."""

import re
from collections.abc import Sequence

NOT_FOR_PEOPLE = {
    "en": (
        "patient", "patients", "client", "clients", "case", "cases", "caseload", "service", "services", "service user",
        "service provider", "provider", "providers", "intake", "triage", "screening", "eligible", "eligibility", "risk", "risks",
        "risk score", "diagnosis", "diagnoses", "diagnosed", "symptom", "symptoms", "treatment", "treatments", "intervention",
        "interventions", "escalate", "escalated", "escalation", "supervisor", "supervisors", "reject", "rejected", "rejection",
        "deny", "denied", "terminate", "terminated", "unmatch", "unmatched", "no-show", "unresponsive", "mentor", "mentors",
        "mentee", "mentees", "rating", "ratings", "score", "scores", "only 1 left", "user", "users", "ticket", "tickets",
    ),
    "es": (
        "paciente", "pacientes", "cliente", "clientes", "clienta", "clientas", "caso", "casos", "servicio", "servicios",
        "proveedor", "proveedora", "proveedores", "triaje", "elegibilidad", "riesgo", "riesgos", "diagnóstico", "diagnósticos",
        "síntoma", "síntomas", "tratamiento", "tratamientos", "intervención", "intervenciones", "escalar", "supervisor",
        "supervisora", "rechazar", "rechazo", "rechazada", "rechazado", "rechazadas", "rechazados", "denegar", "denegada",
        "denegado", "mentor", "mentora", "mentores", "puntuación", "puntaje", "calificación", "calificaciones", "usuario",
        "usuaria", "usuarios", "usuarias", "tique", "tiques",
    ),
}  # fmt: skip
# What a page promises that we are not and do not ask: "no diagnosis", "not a service".
WHAT_WE_ARE_NOT = re.compile(r"\b(?:(?:no|not|nor|ni|sin|without) (?:es |son )?)+(?:una? |an? )?\w+", re.I)
# A case in which something happens is not somebody's case.
OF_NOBODY = re.compile(
    r"\b(?:in (?:any|some|most|that|this) cases?|just in case|in case|(?:the )?few cases|en (?:cualquier|algunos|todo|ese|este) "
    r"casos?|en caso|(?:los )?pocos casos|para este caso|user-?friendly)\b",
    re.I,
)


def forbidden_in(text: str, language: str) -> list[str]:
    """The words of this language's list that stand in the text."""
    said = OF_NOBODY.sub(" ", WHAT_WE_ARE_NOT.sub(" ", OF_NOBODY.sub(" ", " ".join(text.split()))))
    return [word for word in _words(language) if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", said, re.I)]


def _words(language: str) -> Sequence[str]:
    return NOT_FOR_PEOPLE[language]
