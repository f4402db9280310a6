// Extracts and injects, in JavaScript.
import { ROOT_CONTEXT, defaultTextMapGetter, defaultTextMapSetter } from "@opentelemetry/api";
import { W3CBaggagePropagator, W3CTraceContextPropagator } from "@opentelemetry/core";

const processorTime = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
};

function perCall(propagator, name, value) {
  const received = { [name]: value };
  let best = Infinity;
  for (let batch = 0; batch < 8; batch++) {
    const before = processorTime();
    let calls = 0;
    while (processorTime() - before < 3e8) {
      for (let i = 0; i < 1000; i++) {
        const context = propagator.extract(ROOT_CONTEXT, received, defaultTextMapGetter);
        const sent = {};
        propagator.inject(context, sent, defaultTextMapSetter);
        if (sent[name]?.length !== value.length) throw new Error(sent[name]);
      }
      calls += 1000;
    }
    best = Math.min(best, (processorTime() - before) / calls);
  }
  return Math.round(best);
}

const [traceparent, baggage] = process.argv.slice(2);
console.log(
  perCall(new W3CTraceContextPropagator(), "traceparent", traceparent),
  perCall(new W3CBaggagePropagator(), "baggage", baggage),
);
