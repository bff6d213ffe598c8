"""A practitioner and a coordinator, signed in."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from services.matching.coordinators import add_coordinator
from shared.service import Service
from tests.handlers.matching_steps import add_practitioners
from tests.pages.matching_site import signed_in


@pytest.fixture
def juniper(matching: Service, keys: Path) -> FlaskClient:
    add_practitioners(matching, "juniper", places=2)
    return signed_in(matching, keys, "practitioner", "juniper@example.org")


@pytest.fixture
def ro(matching: Service, keys: Path) -> FlaskClient:
    add_coordinator("Ro", "Ro@Example.org", into=matching)
    return signed_in(matching, keys, "coordinator", "ro@example.org")
