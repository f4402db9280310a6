"""Flask, under `opentelemetry-instrument`: nothing of tracing is written here but what the report asks the API for."""

import json
import sys

import requests
from flask import Flask, request
from opentelemetry import baggage, trace

REPORTED = "traceparent tracestate baggage b3 x-b3-traceid x-b3-spanid x-b3-sampled x-b3-flags uber-trace-id x-amzn-trace-id"
app = Flask(__name__)


@app.get("/")
def answer():
    span = trace.get_current_span().get_span_context()
    report = {
        "service": "python",
        "trace": format(span.trace_id, "032x"),
        "span": format(span.span_id, "016x"),
        "sampled": span.trace_flags.sampled,
        "tracestate": span.trace_state.to_header(),
        "baggage": {key: str(value) for key, value in baggage.get_all().items()},
        "headers": {name: request.headers[name] for name in REPORTED.split() if name in request.headers},
    }
    to, _, rest = request.args.get("to", "").partition(",")
    if not to:
        return json.dumps([report])
    try:
        next_one = requests.get(f"http://{to}/?to={rest}", timeout=30)
    except requests.RequestException as error:
        return repr(error), 502
    if next_one.status_code != 200:
        return next_one.text, 502
    return json.dumps([report, *next_one.json()])


app.run("127.0.0.1", int(sys.argv[1]), threaded=True)
