"""Is the broker user that AMQP_URL names the one in whose name this service may publish?"""

from pika import URLParameters

from shared.bus.topology import publishers_are_verified
from shared.logs import get_logger
from shared.settings import Settings, is_loopback

log = get_logger("bus.broker_user")


def verifies_publishers(settings: Settings, service: str) -> bool:
    """Raises SystemExit where people can reach us and anybody with a broker user could publish in another service's name, and
    for an address that cannot be used. It never repeats the address: that holds a password."""
    try:
        URLParameters(settings.amqp_url)
    except Exception:
        raise SystemExit("AMQP_URL: is not an address that can be used") from None
    if publishers_are_verified(settings.amqp_url, service):
        return True
    why = f"AMQP_URL: the user is not named {service}, so nothing verifies who published an event"
    if not is_loopback(settings.public_url):
        raise SystemExit(f"{why}. Only with a PUBLIC_URL of this machine does it start like that.")
    log.warning(why)
    return False
