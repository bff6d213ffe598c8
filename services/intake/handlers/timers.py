"""What happens because time passed."""

from services.intake.handlers.service import service
from services.intake.handlers.supportee import delete_code_words
from services.intake.store import requests_with_old_code_words

SECONDS_BETWEEN_LOOKS = 60

service.every(SECONDS_BETWEEN_LOOKS, requests_with_old_code_words)(delete_code_words)
