"""What somebody said of the programme or of the site, without saying who they are."""

from dataclasses import dataclass
from datetime import datetime

from shared.contracts import EncryptedFields, FeedbackAbout

SHOWN_FROM = 3


@dataclass(frozen=True, kw_only=True, repr=False)
class Feedback:
    """`week`: when the week began in which it was written. `shown_since`: with SHOWN_FROM others at least it became readable, so
    that nobody can tell who wrote it; None: not yet. `encrypted`: the fields good and change."""

    id: str
    about: FeedbackAbout
    week: datetime
    encrypted: EncryptedFields
    shown_since: datetime | None = None
