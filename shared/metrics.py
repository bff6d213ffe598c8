"""What is counted, for Prometheus. Labels are names from the code: never an id, never a word of a person."""

from prometheus_client import Counter, Gauge, Histogram

OUTBOX_PENDING = Gauge("kitchen_outbox_pending", "Events written and not yet confirmed by the broker", ["service"])
OUTBOX_OLDEST = Gauge("kitchen_outbox_oldest_seconds", "Age of the oldest event not yet confirmed by the broker", ["service"])
REEMITTED = Counter("kitchen_outbox_reemitted_total", "Sent events that became due again", ["service", "reason"])
UNANSWERED = Gauge("kitchen_unanswered", "Requests published again as often as may be, and still without an event", ["service"])
LATE_ERASURES = Gauge("kitchen_late_erasures", "People who left an hour ago or more and are not erased everywhere", ["service"])
LATE_TALKS = Gauge("kitchen_late_talks", "Offers that wait a week or more for a talk with a practitioner", ["service"])
CHECKS = Counter("kitchen_checks_total", "What a daily check found, by what became of it", ["service", "finding", "outcome"])
KEPT_TOO_LONG = Gauge("kitchen_kept_too_long", "1 when rows are kept longer than retention.py says", ["service", "collection"])
PUBLISHED = Counter("kitchen_published_total", "Published messages by outcome", ["service", "outcome"])
UNCONFIRMED = Gauge("kitchen_unconfirmed", "Messages published and not yet confirmed", ["service"])
DELIVERIES = Counter("kitchen_deliveries_total", "Messages delivered by the broker", ["service", "redelivered"])
UNACKNOWLEDGED = Gauge("kitchen_unacknowledged", "Messages delivered and not yet acknowledged", ["service"])
HANDLED = Counter("kitchen_handled_total", "Messages by outcome", ["service", "handler", "outcome"])
HANDLER_SECONDS = Histogram(
    "kitchen_handler_seconds",
    "Time in one handler with its transaction",
    ["service", "handler"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 8, 40),
)
RETRIES = Counter("kitchen_retries_total", "Messages sent to a retry queue", ["service", "tier"])
DEAD = Counter("kitchen_dead_total", "Messages sent to the dead queue", ["service", "reason"])
RECONNECTS = Counter("kitchen_reconnects_total", "Connections to the broker that were lost", ["service", "connection"])
TIMER_FAILURES = Counter("kitchen_timer_failures_total", "Items of a timer that failed", ["service", "handler"])
JOB_FAILURES = Counter("kitchen_job_failures_total", "Runs of a job that failed and are made again", ["service", "job"])
TASK_RESTARTS = Counter("kitchen_task_restarts_total", "Background tasks that ended and were started again", ["service", "task"])
READY = Gauge("kitchen_ready", "1 when the worker has this part of what it needs", ["service", "part"])
ALIVE = Gauge("kitchen_alive", "1 while this thread of the worker runs and turns", ["service", "part"])

NOTIFICATIONS = Counter("kitchen_notifications_total", "Notifications by channel and what became of them", ["channel", "outcome"])
NOTIFICATION_SECONDS = Histogram(
    "kitchen_notification_seconds", "From enqueueing a notification to its provider's acceptance", ["channel"],
    buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600),
)  # fmt: skip
