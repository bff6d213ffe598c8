"""How every web process is served: gunicorn -c deploy/gunicorn.conf.py 'services.intake.web:make_app()'."""

from gunicorn.glogging import Logger

from shared.settings import read_core


class Quiet(Logger):  # type: ignore[misc]
    """Gunicorn writes the address on a malformed request and the path on a timeout. Through the root logger, which
    shared.logs owns, only the fact is written. There is no access log."""

    def setup(self, cfg: object) -> None:
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            log.handlers[:] = []
            log.propagate = True


def on_starting(_: object) -> None:
    """A wrong setting stops the start here, once, with its name; inside a worker it would be tried again for ever."""
    read_core()


bind = "0.0.0.0:8000"
worker_class = "gthread"
workers = 2
threads = 8
worker_tmp_dir = "/dev/shm"  # noqa: S108  in memory: a heartbeat on a disk can stall
timeout = 30
graceful_timeout = 25
keepalive = 30
control_socket_disable = True
accesslog = None
logger_class = Quiet
limit_request_line = 4094
limit_request_fields = 60
forwarded_allow_ips = "*"  # only the proxy is on the same network
