"""The Python SDK as a peer: each line of standard input is a JSON list of commands, each line of output its answers."""

import json
import logging
import sys
from importlib.metadata import version

from opentelemetry import baggage, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.propagators.aws import AwsXRayPropagator
from opentelemetry.propagators.b3 import B3MultiFormat, B3SingleFormat
from opentelemetry.propagators.jaeger import JaegerPropagator
from opentelemetry.propagators.ot_trace import OTTracePropagator
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

PACKAGES = ["opentelemetry-api", "opentelemetry-sdk"]
PACKAGES += [f"opentelemetry-propagator-{name}" for name in ("b3", "jaeger", "aws-xray", "ot-trace")]
PROPAGATORS = {
    "tracecontext": TraceContextTextMapPropagator(),
    "baggage": W3CBaggagePropagator(),
    "b3": B3SingleFormat(),
    "b3multi": B3MultiFormat(),
    "jaeger": JaegerPropagator(),
    "xray": AwsXRayPropagator(),
    "ottrace": OTTracePropagator(),
}


# The default getter compares by case, and the SDK asks for this name; a server's own getter does not.
SPELLED = {"x-amzn-trace-id": "X-Amzn-Trace-Id"}


def carrier(headers):
    """What the default getter reads: a list of lines for each name."""
    lines = {}
    for name, value in headers:
        lines.setdefault(SPELLED.get(name, name), []).append(value)
    return lines


def build(wanted):
    """The context that the command describes, made with the API."""
    context = Context()
    if wanted.get("traceId"):
        span_context = trace.SpanContext(
            int(wanted["traceId"], 16),
            int(wanted["spanId"], 16),
            is_remote=True,
            trace_flags=trace.TraceFlags(wanted["flags"]),
            trace_state=trace.TraceState.from_header([wanted.get("tracestate", "")]),
        )
        context = trace.set_span_in_context(trace.NonRecordingSpan(span_context), context)
    for entry in wanted.get("baggage", []):
        context = baggage.set_baggage(entry["key"], entry["value"], context)
    return context


def describe(context):
    """What the API says of the context; it has no metadata of baggage."""
    seen = {"baggage": [{"key": k, "value": str(v)} for k, v in baggage.get_all(context).items()]}
    span_context = trace.get_current_span(context).get_span_context()
    if span_context.is_valid:
        seen["traceId"] = trace.format_trace_id(span_context.trace_id)
        seen["spanId"] = trace.format_span_id(span_context.span_id)
        seen["flags"] = int(span_context.trace_flags)
        seen["tracestate"] = span_context.trace_state.to_header()
    return seen


def answer(command):
    propagator = PROPAGATORS[command["format"]]
    if "extract" in command:
        context = propagator.extract(carrier(command["extract"]), Context())
    else:
        context = build(command["inject"])
    sent = {}
    propagator.inject(sent, context)
    return {"context": describe(context), "headers": list(sent.items())}


def guarded(command):
    try:
        return answer(command)
    except Exception as error:  # what the SDK throws at its user is an answer too
        return {"error": type(error).__name__}


def main():
    logging.disable(logging.CRITICAL)
    print(json.dumps([f"{name} {version(name)}" for name in PACKAGES]), flush=True)
    for line in sys.stdin:
        print(json.dumps([guarded(command) for command in json.loads(line)]), flush=True)


main()
