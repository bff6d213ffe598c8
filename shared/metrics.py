"""What is counted, for Prometheus. Labels are names from the code: never an id, never a word of a person."""

from prometheus_client import Counter, Gauge, Histogram

OUTBOX_PENDING = Gauge("kitchen_outbox_pending", "News written and not yet confirmed by the broker", ["service"])
OUTBOX_OLDEST = Gauge("kitchen_outbox_oldest_seconds", "Age of the oldest news not yet confirmed by the broker", ["service"])
PUBLISHED = Counter("kitchen_published_total", "Messages by what became of them", ["service", "outcome"])
UNCONFIRMED = Gauge("kitchen_unconfirmed", "Messages sent to the broker and not yet confirmed", ["service"])
DELIVERIES = Counter("kitchen_deliveries_total", "Messages that came from the broker", ["service", "redelivered"])
IN_HAND = Gauge("kitchen_in_hand", "Messages taken and not yet settled", ["service"])
HANDLED = Counter("kitchen_handled_total", "Messages by what became of them", ["service", "handler", "outcome"])
HANDLING = Histogram(
    "kitchen_handler_seconds", "Time in one handler with its transaction", ["service", "handler"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 8, 40),
)  # fmt: skip
RETRIES = Counter("kitchen_retries_total", "Messages sent to wait, by how long", ["service", "tier"])
DEAD = Counter("kitchen_dead_total", "Messages that were given up", ["service", "why"])
RECONNECTS = Counter("kitchen_reconnects_total", "Connections to the broker that were lost", ["service", "connection"])
TIMER_FAILURES = Counter("kitchen_timer_failures_total", "Items of a timer that failed", ["service", "handler"])
TASK_RESTARTS = Counter(
    "kitchen_task_restarts_total", "Tasks beside the bus that ended and were begun again", ["service", "task"]
)
READY = Gauge("kitchen_ready", "1 when the part works", ["service", "part"])

LETTERS = Counter("letters_total", "Letters by channel and what became of them", ["channel", "outcome"])
SUBMIT_TO_TOLD = Histogram(
    "kitchen_submit_to_told_seconds", "From the fact to the gateway's acceptance of the letter about it", ["channel"],
    buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600),
)  # fmt: skip
