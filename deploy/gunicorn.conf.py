"""How every web process is served: gunicorn -c deploy/gunicorn.conf.py 'services.intake.web:make_app()'."""

from importlib import import_module

from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from gunicorn.workers.base import Worker

from shared.bus.broker_user import verifies_publishers
from shared.bus.web import WebPublishing
from shared.memory import keep_out_of_collections
from shared.web.app import check_start


class AddressFreeLogger(Logger):  # type: ignore[misc]
    """Gunicorn writes the address on a malformed request and the path on a timeout. Through the root logger, which
    shared.logs owns, only the fact is written. There is no access log."""

    def setup(self, cfg: object) -> None:
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            log.handlers[:] = []
            log.propagate = True


def on_starting(arbiter: Arbiter) -> None:
    """A wrong setting stops the start here, once, with its name: inside a worker gunicorn would try it again for ever.
    The code is imported here too, so that a worker starts well within `timeout`."""
    module = arbiter.app.app_uri.partition(":")[0]
    import_module(module)
    package, _, name = module.removesuffix(".web").rpartition(".")
    if package == "services":
        verifies_publishers(check_start(name), name)


def post_worker_init(worker: Worker) -> None:
    """The application is made: in each worker process, after fork."""
    for app in getattr(worker.wsgi, "apps", (worker.wsgi,)):
        service, settings = app.extensions["kitchen"]
        if settings.amqp_url:
            publishing.append(WebPublishing(service, settings.amqp_url))
            publishing[-1].start()
    keep_out_of_collections()


def worker_exit(arbiter: Arbiter, worker: Worker) -> None:
    for one in publishing:
        one.stop()


publishing: list[WebPublishing] = []


bind = "0.0.0.0:8000"
worker_class = "gthread"
workers = 2
threads = 8
worker_tmp_dir = "/dev/shm"  # noqa: S108  in memory: a heartbeat on a disk can stall
# For threads this is the sign of life of the whole worker, not the length of a request (that is shared/web/deadline.py). A
# worker that stopped (out of memory, a stuck disk, SIGSTOP) keeps its visitors waiting until it is ended.
timeout = 10
graceful_timeout = 25
keepalive = 30
control_socket_disable = True
accesslog = None
logger_class = AddressFreeLogger
limit_request_line = 4094
limit_request_fields = 60
forwarded_allow_ips = "*"  # besides the proxy only our own servers are on its networks
