"""What must stand before the first start: keys, passwords, the replica set, users who reach their own things only, queues.

`python -m deploy.setup files` makes keys and passwords and gives each container its own; it needs no network.
`python -m deploy.setup servers` prepares MongoDB and RabbitMQ.
`python -m deploy.setup hears` prints who hears what; a test keeps hears.json equal to it.
All are safe to repeat.
"""

SERVICES = ("intake", "matching", "notify")
