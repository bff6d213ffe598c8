"""What happens because time passed."""

from services.notify.handlers.outbound import service
from shared.contracts import NotifyMessageStranded
from shared.messages import Event
from shared.mongo import Db
from shared.service import OldDeadLetter


@service.on_old_dead_letter
def tell_of_stranded_message(found: OldDeadLetter, db: Db) -> list[Event]:
    return [NotifyMessageStranded(event_id=found.event_id, failed_at=found.failed_at)]
