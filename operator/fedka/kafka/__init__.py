"""Kafka clients of both ends: configuration, records in and out, reads of ranges.

The only place beside `provision/` that knows confluent_kafka. Nobody here has a consumer group: partitions are
assigned, and positions come from the journal.
"""
