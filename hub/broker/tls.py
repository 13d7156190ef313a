"""TLS of broker connections: always verified, from RabbitMQ's own URL parameters.

Source: https://www.rabbitmq.com/docs/uri-query-parameters (cacertfile, certfile, keyfile).
"""

from __future__ import annotations

import ssl

from hub.broker.urls import Location
from hub.errors import ConfigInvalid


def context(place: Location) -> ssl.SSLContext:
    """Return a context that verifies the broker's certificate and name.

    Raises ``ConfigInvalid`` for a file that cannot be used.
    """
    options = place.options
    try:
        made = ssl.create_default_context(cafile=options.get("cacertfile"))
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        if "certfile" in options:
            made.load_cert_chain(options["certfile"], options.get("keyfile"))
    except (OSError, ssl.SSLError) as error:
        reason = type(error).__name__
        raise ConfigInvalid(file="hub.toml", key="broker.url", reason=reason) from error
    return made
