"""How a producer is made."""

import logging

from confluent_kafka import KafkaException, Producer

from fedka.kafka.access import Settings
from fedka.kafka.refusals import unusable

LOGGER = logging.getLogger("fedka.kafka")


def producer_of(settings: Settings) -> Producer:
    """A producer. Raises AccessRefused where the client cannot work with the settings."""
    try:
        return Producer(settings, logger=LOGGER)
    except KafkaException as error:
        raise unusable(error) from None
