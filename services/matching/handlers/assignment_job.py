"""The assignment job: one worker among many, by a lease, makes a run whenever there are triggers."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

from services.matching import store
from services.matching.handlers.assignment import assign_free_places
from services.matching.handlers.service import service
from shared import metrics
from shared.heartbeat import Heartbeat
from shared.leased_work import Lease, LeasedWorker
from shared.logs import get_logger
from shared.mongo import Db
from shared.service import Service

LEASE = timedelta(seconds=15)
POLL = timedelta(seconds=2)  # triggers wake the job; this is for a time without change stream
PAUSE_AFTER_FAILURE = timedelta(seconds=5)
UNDONE_LIMIT = timedelta(minutes=5)  # longer than the longest waiting list takes
log = get_logger("matching.assignment")


class AssignmentJob:
    """LeasedWork with one item: the job itself."""

    name = "assignment"

    def __init__(self, service: Service, stop: threading.Event, undone_limit: timedelta = UNDONE_LIMIT) -> None:
        self._service, self._stop = service, stop
        self._queue = store.assignment.JobQueue(service.db, LEASE)
        self._executor = ThreadPoolExecutor(1, "assignment")
        self._progress = Heartbeat(undone_limit)
        self._oldest: str | None = None

    def ready(self) -> bool:
        return True

    def makes_progress(self) -> bool:
        """False while the same trigger has been the oldest for too long, whichever worker has the job."""
        return self._progress.alive()

    def claim(self, limit: int) -> list[Lease]:
        trigger = store.assignment.oldest_trigger(self._service.db)
        if trigger is None or trigger.token != self._oldest:
            self._progress.beat()
        self._oldest = trigger.token if trigger else None
        return self._queue.claim() if trigger else []

    def start(self, items: list[Lease]) -> list[Future[int]]:
        return [self._executor.submit(assign_free_places, self._service, self._stop) for _ in items]

    def renew(self, items: list[Lease]) -> None:
        self._queue.renew(items)

    def record(self, finished: list[tuple[Lease, int | BaseException]]) -> None:
        for lease, outcome in finished:
            if isinstance(outcome, BaseException):
                metrics.JOB_FAILURES.labels(self._service.name, self.name).inc()
                log.error("assignment failed and is tried again", exc_info=outcome)
                self._queue.postpone(lease, PAUSE_AFTER_FAILURE)
            else:
                self._queue.release(lease)


@service.background_task("assignment")
def run_assignment_job(db: Db, stop: threading.Event) -> None:
    job = AssignmentJob(service, stop)
    worker = LeasedWorker(job, capacity=1, lease=LEASE, poll=POLL)
    service.watch("assignment job", worker.alive)
    service.watch_progress("assignment", job.makes_progress)
    store.assignment.wake_on_triggers(db, worker.wake_up)
    worker.run(stop)
    worker.wake_up.stop()
