"""What is looked at while the stack runs. Each function's name is the sentence that it proves."""

import json
from pathlib import Path
from typing import Any

import requests

from deploy.compose_test.stack import SERVICES, WORKERS, Failed, Stack

INSIDE = Path(__file__).with_name("inside")
NEEDED_ALL_THE_SAME = {
    "proxy": {"NET_BIND_SERVICE"},
    "files": {"CHOWN", "DAC_OVERRIDE", "FOWNER"},
}


def each_service_reaches_its_own_database_and_no_other(stack: Stack) -> None:
    for service in SERVICES:
        others = [name for name in (*SERVICES, "admin") if name != service]
        told = stack.python(f"{service}-worker", (INSIDE / "databases.py").read_text(), service, *others)
        _expect(told, {service: "open", **dict.fromkeys(others, "Unauthorized")}, f"{service}'s databases")


def each_service_reads_its_own_queue_and_no_other(stack: Stack) -> None:
    for service in SERVICES:
        others = [name for other in SERVICES if other != service for name in (other, f"{other}.dead")]
        told = stack.python(f"{service}-worker", (INSIDE / "queues.py").read_text(), service, *others)
        refused = dict.fromkeys([*others, "declaring a queue"], "ACCESS_REFUSED")
        _expect(told, {service: "open", **refused}, f"{service}'s queues")


def the_operators_command_sees_its_own_service_and_names_the_container_for_another(stack: Stack) -> None:
    for service in SERVICES:
        told = stack.compose("exec", "-T", f"{service}-worker", "kitchen", "status", "--json")
        rows = [(row["service"], row["database"], row["broker"], row["workers"]) for row in json.loads(told.stdout)]
        _expect(rows, [(service, "ok", "ok", 2)], f"kitchen status in {service}-worker")
    told = stack.compose("exec", "-T", "intake-worker", "kitchen", "coordinators", "list", check=False)
    _expect((told.returncode, "matching-worker kitchen" in told.stdout), (1, True), "matching's command in intake's container")


def no_private_key_exists_inside_intake(stack: Stack) -> None:
    for service in ("intake-web", "intake-worker"):
        _expect(stack.python(service, (INSIDE / "keys.py").read_text()), [], f"files in {service} that hold a private key")
    # The same look finds the key where it has to be: the check above can fail.
    if not stack.python("matching-worker", (INSIDE / "keys.py").read_text()):
        raise Failed("no private key was found inside matching, which needs one")


def every_container_is_read_only_and_holds_no_right_it_does_not_need(stack: Stack) -> None:
    for container in stack.inspect():
        service, host = _service_of(container), container["HostConfig"]
        added = {name.removeprefix("CAP_") for name in host["CapAdd"] or []}
        _expect(added, NEEDED_ALL_THE_SAME.get(service, set()), f"capabilities of {service}")
        _expect(host["CapDrop"], ["ALL"], f"dropped capabilities of {service}")
        _expect(host["ReadonlyRootfs"], True, f"read-only root of {service}")
        _expect(
            any("no-new-privileges" in option for option in host["SecurityOpt"] or []), True, f"no new privileges in {service}"
        )
        _expect(bool(host["Memory"] and host["PidsLimit"]), True, f"limits of {service}")


def nothing_that_runs_is_root_or_can_write_to_its_own_image(stack: Stack) -> None:
    script = "id -u; if touch /here /app/here 2>/dev/null; then echo written; else echo refused; fi"
    for service in sorted({_service_of(container) for container in stack.inspect(all=False)}):
        user, wrote = stack.compose("exec", "-T", service, "sh", "-c", script).stdout.split()
        _expect((user == "0", wrote), (False, "refused"), f"root, writing in {service}")


def only_the_proxy_is_reachable_from_outside(stack: Stack) -> None:
    open_to_outside = {_service_of(c) for c in stack.inspect(all=False) if any((c["NetworkSettings"]["Ports"] or {}).values())}
    _expect(open_to_outside, {"proxy"}, "services with a port of this machine")


def each_worker_runs_twice(stack: Stack) -> None:
    running = [_service_of(container) for container in stack.inspect(all=False)]
    _expect({worker: running.count(worker) for worker in WORKERS}, dict.fromkeys(WORKERS, 2), "copies")


def no_password_is_in_an_environment_that_stays(stack: Stack) -> None:
    secret = [stack.environment["KANNEL_PASSWORD"], stack.environment["KANNEL_CALLBACK_SECRET"]]
    known_to = {
        _service_of(c) for c in stack.inspect(all=False) if any(value in line for value in secret for line in c["Config"]["Env"])
    }
    _expect(known_to, {"demo"}, "containers that hold the gateway's password in their environment")


def the_proxy_sends_each_path_to_its_service(stack: Stack, certificate: Path) -> None:
    wanted = {
        "/": 200,
        "/people": 200,
        "/static/kt.css": 200,
        "/livez": 200,
        "/o/no-such-token": 410,
        "/sms/kannel/in": 403,
        "/demo/": 200,
    }
    for path, status in wanted.items():
        answer = requests.get(f"{stack.url}{path}", verify=str(certificate), timeout=20, allow_redirects=False)
        _expect(answer.status_code, status, path)


def a_page_says_so_when_its_service_is_away(stack: Stack, certificate: Path) -> None:
    answer = requests.get(f"{stack.url}/people/nobody-is-home", verify=str(certificate), timeout=20)
    _expect((answer.status_code, answer.headers["Cache-Control"]), (503, "no-store"), "a page whose service is stopped")
    _expect("try again in a minute" in answer.text and "en un minuto" in answer.text, True, "both languages on it")


def no_log_holds_what_somebody_wrote(stack: Stack) -> None:
    logs = stack.compose("logs", "--no-color").stdout
    # An address, a number, a name, the words of a request, the path of a link: all were used on the journey.
    for trace in ("@demo.example", "+1202555", "Somebody to talk to", "/o/no-such-token", "/people/nobody-is-home", 'Sam"'):
        if trace in logs:
            line = next(line for line in logs.splitlines() if trace in line)
            raise Failed(f"a log holds {trace!r}: {line[:300]}")


def everything_stops_by_itself_when_asked(stack: Stack) -> None:
    ours = [*WORKERS, *(f"{service}-web" for service in SERVICES)]
    stack.compose("stop", *ours)
    ended = {_service_of(c): c["State"]["ExitCode"] for c in stack.inspect() if _service_of(c) in ours}
    _expect(ended, dict.fromkeys(ours, 0), "how they ended")


def _expect(there: Any, wanted: Any, what: str) -> None:
    if there != wanted:
        raise Failed(f"{what}: {there}, not {wanted}")


def _service_of(container: dict[str, Any]) -> str:
    return str(container["Config"]["Labels"]["com.docker.compose.service"])


def journey_command(stack: Stack) -> str:
    run = [*stack.command(), "exec", "-T", "matching-worker", "kitchen", "people", "import", "-"]
    return " ".join(run)


def copy_certificate(stack: Stack, folder: Path) -> Path:
    """The proxy made a certificate authority of its own for localhost."""
    file = folder / "root.crt"
    stack.compose("cp", "proxy:/data/caddy/pki/authorities/local/root.crt", str(file))
    return file
