import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from deploy.compose_test import checks
from deploy.compose_test.stack import ROOT, WORKERS, Failed, Stack, new_stack, temporary_folder

T = TypeVar("T")
WHILE_IT_RUNS = (
    checks.each_worker_runs_twice,
    checks.each_service_reaches_its_own_database_and_no_other,
    checks.each_service_reads_its_own_queue_and_no_other,
    checks.the_operators_command_sees_its_own_service_and_names_the_container_for_another,
    checks.no_private_key_exists_inside_intake,
    checks.every_container_is_read_only_and_holds_no_right_it_does_not_need,
    checks.nothing_that_runs_is_root_or_can_write_to_its_own_image,
    checks.only_the_proxy_is_reachable_from_outside,
    checks.no_password_is_in_an_environment_that_stays,
)


def main() -> int:
    with temporary_folder() as folder:
        stack = new_stack(Path(folder))
        say(f"{stack.project}: {stack.url}")
        try:
            return run_checks(stack, Path(folder))
        except Failed as failure:
            say(f"FAILED {failure}")
            say(stack.compose("ps", "--all", check=False).stdout)
            say(stack.compose("logs", "--no-color", "--tail", "25", check=False).stdout[-12000:])
            return 1
        finally:
            timed("everything taken away", stack.take_away)


def run_checks(stack: Stack, folder: Path) -> int:
    copies = [word for worker in WORKERS for word in ("--scale", f"{worker}=2")]
    timed("images built", lambda: stack.compose("build"))
    timed("stack is up and healthy", lambda: stack.compose("up", "--detach", "--wait", "--wait-timeout", "240", *copies))
    certificate = checks.copy_certificate(stack, folder)
    look(checks.the_proxy_sends_each_path_to_its_service, stack, certificate)
    timed("the journey through the proxy", lambda: journey(stack, certificate))
    for check in (*WHILE_IT_RUNS, checks.everything_stops_by_itself_when_asked):
        look(check, stack)
    look(checks.a_page_says_so_when_its_service_is_away, stack, certificate)
    look(checks.no_log_holds_what_somebody_wrote, stack)
    say("compose-test ok")
    return 0


def journey(stack: Stack, certificate: Path) -> None:
    given = {"JOURNEY_BASE": stack.url, "JOURNEY_IMPORT": checks.journey_command(stack), "JOURNEY_VERIFY": str(certificate)}
    done = subprocess.run([sys.executable, "-m", "bench.journey"], env={**stack.environment, "N": "20", **given}, cwd=ROOT)
    if done.returncode:
        raise Failed("the journey did not arrive")


def look(check: Callable[..., None], stack: Stack, *more: Path) -> None:
    timed(check.__name__.replace("_", " "), lambda: check(stack, *more))


def timed(what: str, do: Callable[[], T]) -> T:
    begun = time.monotonic()
    done = do()
    say(f"{time.monotonic() - begun:6.1f} s  {what}")
    return done


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
