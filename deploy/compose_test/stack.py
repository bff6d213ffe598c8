"""One compose project of our own: free ports, made-up secrets, two copies of each worker."""

import json
import os
import secrets
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.servers.processes import free_port
from shared.programme import PLACEHOLDER_MARKS

ROOT = Path(__file__).resolve().parents[2]
WORKERS = ("intake-worker", "matching-worker", "notify-worker")
SERVICES = ("intake", "matching", "notify")


@dataclass(frozen=True)
class Stack:
    project: str
    url: str
    environment: dict[str, str]

    def compose(self, *arguments: str, input: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*self.command(), *arguments], input=input, env=self.environment, cwd=ROOT, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        if check and done.returncode:
            raise Failed(f"docker compose {arguments[0]} ended with {done.returncode}:\n{done.stdout[-6000:]}")
        return done

    def command(self) -> list[str]:
        # An .env that lies beside docker-compose.yml belongs to a deployment, not to this test.
        return ["docker", "compose", "--project-name", self.project, "--env-file", os.devnull, "--profile", "demo"]

    def python(self, service: str, script: str, *arguments: str) -> Any:
        """Run a script inside a running container of `service`; what it prints is JSON."""
        return json.loads(self.compose("exec", "-T", service, "python", "-", *arguments, input=script).stdout)

    def inspect(self, *, all: bool = True) -> list[dict[str, Any]]:
        ids = self.compose("ps", "-q", *(["-a"] if all else [])).stdout.split()
        told = subprocess.run(["docker", "inspect", *ids], capture_output=True, text=True, check=True)
        return list(json.loads(told.stdout))

    def take_away(self) -> None:
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "10", check=False)
        # By label: web and worker build the same image, and the one that came first has lost its name.
        ours = f"label=com.docker.compose.project={self.project}"
        images = subprocess.run(["docker", "image", "ls", "--quiet", "--filter", ours], capture_output=True, text=True)
        subprocess.run(["docker", "image", "rm", "--force", *images.stdout.split()], capture_output=True)


class Failed(AssertionError):
    """What was expected of the stack, and what was there."""


def new_stack(folder: Path) -> Stack:
    https, gateway = free_port(), secrets.token_urlsafe(24)
    url = f"https://localhost:{https}"
    settings = {
        "DEMO": "true", "SITE_ADDRESS": "localhost", "PUBLIC_URL": url, "HTTP_PORT": f"127.0.0.1:{free_port()}",
        "HTTPS_PORT": f"127.0.0.1:{https}", "PROGRAMME_FILE": str(_programme_of_a_collective(folder)),
        "SMTP_URL": "smtp://demo:1025", "MAIL_FROM": "table@kt.example", "MAIL_REPLY_TO": "hello@kt.example",
        "SMS_GATEWAY": "kannel", "SMS_CALLBACK_URL": "http://notify-web:8000", "KANNEL_URL": "http://demo:8000",
        "KANNEL_USER": "demo", "KANNEL_PASSWORD": gateway, "KANNEL_CALLBACK_SECRET": gateway,
    }  # fmt: skip
    return Stack(f"kitchen-test-{secrets.token_hex(3)}", url, {**os.environ, **settings})


def _programme_of_a_collective(folder: Path) -> Path:
    """The promise in the repository is a placeholder, with which no https address starts; here somebody wrote theirs."""
    text = (ROOT / "deploy/programme.toml").read_text()
    file = folder / "programme.toml"
    for placeholder in (*PLACEHOLDER_MARKS, "promise_is_ours = false"):
        text = text.replace(placeholder, "promise_is_ours = true" if "=" in placeholder else "Ours")
    # Twenty requests come through the proxy from one place.
    file.write_text(text.replace("from_one_place = 5", "from_one_place = 0"))
    file.chmod(0o644)
    folder.chmod(0o755)
    return file


def temporary_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="kitchen-test-")
