"""A worker process whose handler takes as long as it is told: `python -m tests.faults.bus.slow_echo_service`."""

import os
import time
from pathlib import Path

from shared.bus.worker import work
from shared.mongo import Db
from shared.settings import read_core
from tests.faults.bus.echo_service import Control, EchoAnswered, EchoAsked, make_service

if __name__ == "__main__":
    service = make_service(Control(), os.environ["ECHO_SERVICE"])
    answer = service.handlers[EchoAsked]

    def answer_slowly(message: EchoAsked, db: Db) -> list[EchoAnswered]:
        Path(os.environ["ECHO_ENTERED"]).touch()
        time.sleep(float(os.environ["ECHO_SECONDS"]))
        return answer(message, db)

    service.handlers[EchoAsked] = answer_slowly
    work(service, read_core())
