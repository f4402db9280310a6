package peer;

import io.opentelemetry.api.baggage.Baggage;
import io.opentelemetry.api.baggage.BaggageBuilder;
import io.opentelemetry.api.baggage.BaggageEntryMetadata;
import io.opentelemetry.api.baggage.propagation.W3CBaggagePropagator;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.api.trace.TraceStateBuilder;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.opentelemetry.contrib.awsxray.propagator.AwsXrayPropagator;
import io.opentelemetry.extension.trace.propagation.B3Propagator;
import io.opentelemetry.extension.trace.propagation.JaegerPropagator;
import io.opentelemetry.extension.trace.propagation.OtTracePropagator;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The OpenTelemetry API and its extensions for older formats. */
final class OpenTelemetryPeer {
  private static final Map<String, TextMapPropagator> PROPAGATORS = Map.of(
      "tracecontext", W3CTraceContextPropagator.getInstance(),
      "baggage", W3CBaggagePropagator.getInstance(),
      "b3", B3Propagator.injectingSingleHeader(),
      "b3multi", B3Propagator.injectingMultiHeaders(),
      "jaeger", JaegerPropagator.getInstance(),
      "xray", AwsXrayPropagator.getInstance(),
      "ottrace", OtTracePropagator.getInstance());

  /** What a servlet's getter reads: the first line, or all of them where the propagator asks for all. */
  private static final TextMapGetter<List<List<String>>> GETTER = new TextMapGetter<>() {
    @Override
    public Iterable<String> keys(List<List<String>> headers) {
      return headers.stream().map(header -> header.get(0)).distinct().toList();
    }

    @Override
    public String get(List<List<String>> headers, String name) {
      Iterator<String> lines = getAll(headers, name);
      return lines.hasNext() ? lines.next() : null;
    }

    @Override
    public Iterator<String> getAll(List<List<String>> headers, String name) {
      return headers.stream()
          .filter(header -> header.get(0).equalsIgnoreCase(name))
          .map(header -> header.get(1))
          .iterator();
    }
  };

  static Protocol.Answer answer(Protocol.Command command) {
    TextMapPropagator propagator = PROPAGATORS.get(command.format());
    Context context = command.extract() != null
        ? propagator.extract(Context.root(), command.extract(), GETTER)
        : build(command.inject());
    Map<String, String> sent = new LinkedHashMap<>();
    propagator.inject(context, sent, Map::put);
    return Protocol.Answer.of(describe(context), sent);
  }

  /** The context that the command describes, made with the API. */
  private static Context build(Protocol.ContextText wanted) {
    Context context = Context.root();
    if (wanted.traceId() != null) {
      TraceFlags flags = TraceFlags.fromByte((byte) wanted.flags());
      context = context.with(Span.wrap(SpanContext.createFromRemoteParent(
          wanted.traceId(), wanted.spanId(), flags, traceState(wanted.tracestate()))));
    }
    if (wanted.baggage() != null) {
      BaggageBuilder builder = Baggage.builder();
      for (Protocol.Entry entry : wanted.baggage()) {
        String metadata = entry.metadata() == null ? "" : entry.metadata();
        builder.put(entry.key(), entry.value(), BaggageEntryMetadata.create(metadata));
      }
      context = context.with(builder.build());
    }
    return context;
  }

  /** The builder puts each member in front of the others. */
  private static TraceState traceState(String text) {
    TraceStateBuilder builder = TraceState.builder();
    String[] members = text == null || text.isEmpty() ? new String[0] : text.split(",");
    for (int i = members.length - 1; i >= 0; i--) {
      String[] member = members[i].split("=", 2);
      builder.put(member[0], member[1]);
    }
    return builder.build();
  }

  /** What the API says of the context. */
  private static Protocol.ContextText describe(Context context) {
    List<Protocol.Entry> baggage = new ArrayList<>();
    Baggage.fromContext(context).forEach((key, entry) ->
        baggage.add(new Protocol.Entry(key, entry.getValue(), entry.getMetadata().getValue())));
    SpanContext span = Span.fromContext(context).getSpanContext();
    if (!span.isValid()) {
      return new Protocol.ContextText(null, null, 0, null, baggage, null);
    }
    String traceState = span.getTraceState().asMap().entrySet().stream()
        .map(member -> member.getKey() + "=" + member.getValue())
        .collect(Collectors.joining(","));
    int flags = span.getTraceFlags().asByte() & 0xff;
    return new Protocol.ContextText(span.getTraceId(), span.getSpanId(), flags, traceState, baggage, null);
  }

  private OpenTelemetryPeer() {}
}
