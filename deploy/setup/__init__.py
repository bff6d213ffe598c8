"""What must exist before the first start: keys, passwords, the replica set, users with their own permissions only, queues.

`python -m deploy.setup files` makes keys and passwords and gives each container its own; it needs no network.
`python -m deploy.setup servers` prepares MongoDB and RabbitMQ.
`python -m deploy.setup subscriptions` prints which event types each service subscribes to; a test keeps subscriptions.json equal
to it.
All are safe to repeat.
"""

SERVICES = ("intake", "matching", "notify")
