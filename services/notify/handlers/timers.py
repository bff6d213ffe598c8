"""What happens because time passed."""

import uuid

from services.notify.handlers.outbound import service
from shared.contracts import NotifyMessageStranded, NotifyRowsKept
from shared.messages import Event
from shared.mongo import Db
from shared.service import KeptTooLong, OldDeadLetter


@service.on_old_dead_letter
def tell_of_stranded_message(found: OldDeadLetter, db: Db) -> list[Event]:
    return [NotifyMessageStranded(event_id=found.event_id, failed_at=found.failed_at)]


@service.on_kept_too_long
def tell_of_rows_kept_too_long(found: KeptTooLong, db: Db) -> list[Event]:
    return [NotifyRowsKept(check_id=str(uuid.uuid4()), collections=found.collections)]
