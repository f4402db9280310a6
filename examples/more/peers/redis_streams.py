"""Takes our entry, goes on with its trace, and answers: with the SDK of Python and its own carrier, a dict."""

import os

import redis
from opentelemetry import baggage, propagate, trace
from opentelemetry.sdk.trace import TracerProvider

trace.set_tracer_provider(TracerProvider())
server = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
[[_, [[_, entry]]]] = server.xread({"examples.ours": "0"}, count=1, block=10_000)

context = propagate.extract(entry)
context = baggage.set_baggage("peer", "python", context)
span = trace.get_tracer("peer").start_span("answer", context=context)
fields = {}
propagate.inject(fields, context=trace.set_span_in_context(span, context))
server.xadd("examples.theirs", fields)
print("python received", entry)
