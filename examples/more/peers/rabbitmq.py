"""Takes our message, goes on with its trace, and answers: with the SDK of Python and its own carrier, a dict."""

import os
import time

import pika
from opentelemetry import baggage, propagate, trace
from opentelemetry.sdk.trace import TracerProvider

trace.set_tracer_provider(TracerProvider())
channel = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"])).channel()
for queue in ("examples.ours", "examples.theirs"):
    channel.queue_declare(queue)

properties = None
for _ in range(200):
    _, properties, _ = channel.basic_get("examples.ours", auto_ack=True)
    if properties is not None:
        break
    time.sleep(0.05)

context = propagate.extract(properties.headers)
context = baggage.set_baggage("peer", "python", context)
span = trace.get_tracer("peer").start_span("answer", context=context)
headers = {}
propagate.inject(headers, context=trace.set_span_in_context(span, context))
channel.basic_publish("", "examples.theirs", b"", pika.BasicProperties(headers=headers))
print("python received", dict(properties.headers))
