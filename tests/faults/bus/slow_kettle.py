"""A worker process whose handler takes as long as it is told: `python -m tests.faults.bus.slow_kettle`."""

import os
import time
from pathlib import Path

from shared.bus.worker import work
from shared.mongo import Db
from shared.settings import read_core
from tests.faults.bus.kettle import Control, KettleBoiled, KettleFilled, make_service

if __name__ == "__main__":
    service = make_service(Control(), os.environ["KETTLE"])
    boil_it = service.handlers[KettleFilled]

    def boil_slowly(message: KettleFilled, db: Db) -> list[KettleBoiled]:
        Path(os.environ["KETTLE_ENTERED"]).touch()
        time.sleep(float(os.environ["KETTLE_SECONDS"]))
        return boil_it(message, db)

    service.handlers[KettleFilled] = boil_slowly
    work(service, read_core())
