"""A real MongoDB and a real RabbitMQ for the demo, the tests and the measurements: `mongod.start` and `rabbitmq.start`.

Each takes the server that the environment names (MONGODB_URI, AMQP_URL), else a container with CONTAINERS=1, else a program of
this machine, else a container.
"""
