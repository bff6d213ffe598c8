import json
import sys
from pathlib import Path


def main(step: str) -> None:
    if step == "files":
        from deploy.setup.files import distribute, make_secrets

        make_secrets(Path("/vault"))
        distribute(Path("/vault"), Path("/out"))
        report("Every container has its own keys and passwords")
    elif step == "servers":
        from deploy.setup.servers import prepare_mongodb, prepare_rabbitmq

        folder = Path("/run/kitchen")
        prepare_mongodb(folder)
        report("MongoDB is a replica set, and each service has a user for its own database")
        prepare_rabbitmq(folder)
        report("RabbitMQ has every queue")
    elif step == "subscriptions":
        from deploy.setup.subscriptions import subscriptions_in_the_code

        sys.stdout.write(json.dumps(subscriptions_in_the_code(), indent=2) + "\n")
    else:
        raise SystemExit("python -m deploy.setup files | servers | subscriptions")


def report(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
