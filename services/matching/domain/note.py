"""What was written to somebody."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Note:
    """Encrypted as the field `note/<id>` under the key of the match it belongs to, or without `match_id` under the words' key.
    Written by `practitioner_id` or `coordinator_id`; by the supportee when both are None, then to `to_practitioner_id` or,
    without one, to the coordinators, or to `to_coordinator_id` alone; so is what that one answers. `shared_at`: since when
    coordinators may read what the two wrote to each other."""

    id: str
    request_id: str
    encrypted: str
    at: datetime
    practitioner_id: str | None = None
    coordinator_id: str | None = None
    to_practitioner_id: str | None = None
    to_coordinator_id: str | None = None
    shared_at: datetime | None = None
    match_id: str | None = None

    def may_be_read_by(self, coordinator_id: str) -> bool:
        is_for_coordinators = self.shared_at is not None or not (self.practitioner_id or self.to_practitioner_id)
        return is_for_coordinators and self.to_coordinator_id in (None, coordinator_id)
