"""Asking each Kafka cluster every few seconds whether it is still there.

A broker that stands still ends no connection: who reads from it complains only when requests have run out, after twenty
seconds, and where no round is under way nobody may ask it anything for hours.
"""

import asyncio

from fedka.reconcile.kafka_side import KafkaSide
from fedka.reconcile.provisioning import KafkaUnavailable, ProvisioningRefused
from fedka.reconcile.runs import Runs

PULSE_SECONDS = 3.0  # and 5 s for an answer: that Kafka is away stands in the status within 10 s


async def feel_pulse(kafka: str, side: KafkaSide, runs: Runs, *, period: float) -> None:
    """Until cancelled: look up a topic of any run of this cluster, and let all of them know if no answer comes.

    Runs that know it already are left alone: they look for Kafka's return themselves.
    """
    while True:
        await asyncio.sleep(period)
        journal = runs.followed_journal(kafka)
        if journal is None:
            continue
        try:
            await side.provisioner.topic_ids((journal,))
        except KafkaUnavailable as error:
            side.outage.note(error)
            if error.everywhere:
                runs.note_away(kafka, error.for_others())
        except ProvisioningRefused:  # an answer all the same: whoever needs the topic will be told
            continue
