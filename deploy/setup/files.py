"""Keys and passwords: made once in a volume that no running container sees, then copied to one folder for each container."""

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.setup import SERVICES
from shared.bus.topology import permissions_of
from shared.vault import KEYS_BY_SERVICE, generate_keys

SERVICE_USER, MONGO_USER = 10001, 999
VHOST = "kitchen"
PASSWORDS = ("mongo-root", "rabbitmq-setup", *(f"{server}-{name}" for server in ("mongo", "rabbitmq") for name in SERVICES))
GIVEN_TO_NOTIFY = ("SMTP_URL", "KANNEL_PASSWORD", "KANNEL_CALLBACK_SECRET", "TWILIO_AUTH_TOKEN", "ZOOM_CLIENT_SECRET")
FOLDERS_TO_OWN = ("proxy-data", "proxy-config", "demo")


@dataclass(frozen=True)
class Folder:
    """One container's folder: its files are readable by that container's user alone and are replaced whole."""

    path: Path
    owner: int

    def put(self, name: str, text: str, mode: int = 0o400) -> None:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(f".{file.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)
        fresh.write_text(text)
        change_owner(fresh, self.owner)
        fresh.chmod(mode)
        fresh.replace(file)

    def drop(self, name: str) -> None:
        (self.path / name).unlink(missing_ok=True)


def change_owner(path: Path, owner: int) -> None:
    if os.geteuid() == 0:  # nobody else may give files away
        os.chown(path, owner, owner)


def make_secrets(vault: Path) -> None:
    generate_keys(vault / "keys")
    for name in PASSWORDS:
        _write_once(vault / "passwords" / name, secrets.token_urlsafe(32))
    _write_once(vault / "mongo-keyfile", base64.b64encode(secrets.token_bytes(512)).decode())


def distribute(vault: Path, out: Path, environment: Mapping[str, str] = os.environ) -> None:
    password = {name: (vault / "passwords" / name).read_text() for name in PASSWORDS}
    for service in SERVICES:
        _write_for_service(service, Folder(out / service, SERVICE_USER), vault / "keys", password)
    _write_what_was_given(Folder(out / "notify", SERVICE_USER), environment)
    _write_for_servers(out, (vault / "mongo-keyfile").read_text(), password)
    for name in FOLDERS_TO_OWN:
        if (out / name).is_dir():
            change_owner(out / name, SERVICE_USER)


def mongodb_uri(user: str, password: str) -> str:
    return f"mongodb://{user}:{password}@mongo:27017/?replicaSet=rs0"


def amqp_url(user: str, password: str) -> str:
    return f"amqp://{user}:{password}@rabbitmq:5672/{VHOST}"


def definitions(password: Mapping[str, str]) -> dict[str, object]:
    """RabbitMQ's users and their permissions, with hashes for passwords. `setup` declares; a service publishes its own contracts'
    events and reads its own queues."""
    return {
        "vhosts": [{"name": VHOST}],
        "users": [_user(name, password[f"rabbitmq-{name}"]) for name in ("setup", *SERVICES)],
        "permissions": [_everything("setup"), *(_permissions(name) for name in SERVICES)],
        "topic_permissions": [each for name in SERVICES for each in _topic_permissions(name)],
    }


def _user(name: str, password: str) -> dict[str, object]:
    algorithm = "rabbit_password_hashing_sha256"
    return {"name": name, "password_hash": rabbitmq_hash(password), "hashing_algorithm": algorithm, "tags": []}


def _everything(user: str) -> dict[str, str]:
    return {"user": user, "vhost": VHOST, "configure": ".*", "write": ".*", "read": ".*"}


def _permissions(service: str) -> dict[str, str]:
    granted = permissions_of(service)
    return {
        "user": service,
        "vhost": VHOST,
        "configure": granted.configure,
        "write": granted.write,
        "read": granted.read,
    }


def _topic_permissions(service: str) -> list[dict[str, str]]:
    """`read` is about binding queues to the exchange, which no service may."""
    topics = permissions_of(service).topics
    return [
        {"user": service, "vhost": VHOST, "exchange": exchange, "write": keys, "read": "^$"} for exchange, keys in topics.items()
    ]


def rabbitmq_hash(password: str) -> str:
    salt = secrets.token_bytes(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _write_for_service(service: str, folder: Folder, keys: Path, password: Mapping[str, str]) -> None:
    folder.put("mongodb_uri", mongodb_uri(service, password[f"mongo-{service}"]))
    folder.put("amqp_url", amqp_url(service, password[f"rabbitmq-{service}"]))
    for name in KEYS_BY_SERVICE[service]:
        folder.put(f"keys/{name}", (keys / name).read_text())


def _write_what_was_given(folder: Folder, environment: Mapping[str, str]) -> None:
    for name in GIVEN_TO_NOTIFY:
        if environment.get(name):
            folder.put(name.lower(), environment[name])
        else:
            folder.drop(name.lower())


def _write_for_servers(out: Path, keyfile: str, password: Mapping[str, str]) -> None:
    mongo, setup = Folder(out / "mongo", MONGO_USER), Folder(out / "setup", SERVICE_USER)
    mongo.put("root_password", password["mongo-root"])
    mongo.put("keyfile", keyfile)
    setup.put("mongo_root_password", password["mongo-root"])
    setup.put("amqp_url", amqp_url("setup", password["rabbitmq-setup"]))
    for service in SERVICES:
        setup.put(f"mongo_passwords/{service}", password[f"mongo-{service}"])
    # Readable by whatever number RabbitMQ's image gave its user: hashes of random passwords, in a volume of its own.
    Folder(out / "rabbitmq", 0).put("definitions.json", json.dumps(definitions(password)), mode=0o444)


def _write_once(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(text)
