"""Takes our record, goes on with its trace, and answers: with the SDK of Python and a carrier over Kafka's list of headers."""

import os

from confluent_kafka import Consumer, Producer, TopicPartition
from opentelemetry import baggage, propagate, trace
from opentelemetry.propagators.textmap import Getter
from opentelemetry.sdk.trace import TracerProvider


class Headers(Getter):
    """A name may come several times; values are bytes."""

    def get(self, carrier, key):
        return [value.decode() for name, value in carrier if name == key] or None

    def keys(self, carrier):
        return [name for name, _ in carrier]


class Append:
    """What Kafka's clients do: a header is put behind the others."""

    def set(self, carrier, key, value):
        carrier.append((key, value.encode()))


trace.set_tracer_provider(TracerProvider())
servers = {"bootstrap.servers": os.environ["KAFKA_BROKER"]}
consumer = Consumer(servers | {"group.id": "peer", "auto.offset.reset": "earliest"})
consumer.assign([TopicPartition("examples.ours", 0, 0)])
record = None
for _ in range(100):
    record = consumer.poll(0.5)
    if record is not None and record.error() is None:
        break
consumer.close()

received = record.headers()
context = propagate.extract(received, getter=Headers())
context = baggage.set_baggage("peer", "python", context)
span = trace.get_tracer("peer").start_span("answer", context=context)
# An older context stays in front, as it does where a consumer hands a record on.
headers = list(received)
propagate.inject(headers, context=trace.set_span_in_context(span, context), setter=Append())
producer = Producer(servers)
producer.produce("examples.theirs", b"", headers=headers)
producer.flush(10)
print("python received", received)
