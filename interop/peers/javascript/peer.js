// The JavaScript SDK as a peer: each line of standard input is a JSON list of commands, each line of output its answers.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import {
  ROOT_CONTEXT, baggageEntryMetadataFromString, defaultTextMapGetter, defaultTextMapSetter, propagation, trace,
} from '@opentelemetry/api';
import { TraceState, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { AWSXRayPropagator } from '@opentelemetry/propagator-aws-xray';
import { B3InjectEncoding, B3Propagator } from '@opentelemetry/propagator-b3';
import { JaegerPropagator } from '@opentelemetry/propagator-jaeger';
import { OTTracePropagator } from '@opentelemetry/propagator-ot-trace';

const propagators = {
  tracecontext: new W3CTraceContextPropagator(),
  baggage: new W3CBaggagePropagator(),
  b3: new B3Propagator(),
  b3multi: new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER }),
  jaeger: new JaegerPropagator(),
  xray: new AWSXRayPropagator(),
  ottrace: new OTTracePropagator(),
};

// What the default getter reads: a string, or a list of lines where there are several.
function carrier(headers) {
  const lines = {};
  for (const [name, value] of headers) {
    lines[name] = name in lines ? [lines[name], value].flat() : value;
  }
  return lines;
}

// The context that the command describes, made with the API.
function build(wanted) {
  let context = ROOT_CONTEXT;
  if (wanted.traceId) {
    const traceState = wanted.tracestate ? new TraceState(wanted.tracestate) : undefined;
    context = trace.setSpanContext(context, {
      traceId: wanted.traceId, spanId: wanted.spanId, traceFlags: wanted.flags, isRemote: true, traceState,
    });
  }
  if (wanted.baggage?.length) {
    const entries = wanted.baggage.map(({ key, value, metadata }) =>
      [key, { value, metadata: metadata ? baggageEntryMetadataFromString(metadata) : undefined }]);
    context = propagation.setBaggage(context, propagation.createBaggage(Object.fromEntries(entries)));
  }
  return context;
}

// What the API says of the context.
function describe(context) {
  const span = trace.getSpanContext(context);
  const entries = propagation.getBaggage(context)?.getAllEntries() ?? [];
  return {
    traceId: span?.traceId,
    spanId: span?.spanId,
    flags: span?.traceFlags,
    tracestate: span?.traceState?.serialize(),
    baggage: entries.map(([key, { value, metadata }]) => ({ key, value, metadata: metadata?.toString() })),
  };
}

function answer({ format, extract, inject }) {
  try {
    const propagator = propagators[format];
    const context = extract
      ? propagator.extract(ROOT_CONTEXT, carrier(extract), defaultTextMapGetter)
      : build(inject);
    const sent = {};
    propagator.inject(context, sent, defaultTextMapSetter);
    return { context: describe(context), headers: Object.entries(sent) };
  } catch (error) { // what the SDK throws at its user is an answer too
    return { error: error.name };
  }
}

const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url)));
console.log(JSON.stringify(Object.entries(dependencies).map(([name, version]) => `${name} ${version}`)));
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  console.log(JSON.stringify(JSON.parse(line).map(answer)));
}
