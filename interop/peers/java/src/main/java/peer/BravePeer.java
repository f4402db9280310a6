package peer;

import brave.propagation.B3Propagation;
import brave.propagation.Propagation;
import brave.propagation.SamplingFlags;
import brave.propagation.TraceContext;
import brave.propagation.TraceContextOrSamplingFlags;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Brave, the B3 implementation of the Zipkin project itself. */
final class BravePeer {
  private static final Map<String, Propagation<String>> PROPAGATIONS = Map.of(
      "b3", propagation(B3Propagation.Format.SINGLE_NO_PARENT),
      "b3multi", propagation(B3Propagation.Format.MULTI));

  private static Propagation<String> propagation(B3Propagation.Format format) {
    return B3Propagation.newFactoryBuilder().injectFormat(format).build().get();
  }

  static Protocol.Answer answer(Protocol.Command command) {
    Propagation<String> propagation = PROPAGATIONS.get(command.format());
    TraceContextOrSamplingFlags extracted = command.extract() != null
        ? propagation.<List<List<String>>>extractor(BravePeer::firstLine).extract(command.extract())
        : TraceContextOrSamplingFlags.create(build(command.inject()));
    Map<String, String> sent = new LinkedHashMap<>();
    if (extracted.context() != null) {
      propagation.<Map<String, String>>injector(Map::put).inject(extracted.context(), sent);
    }
    return Protocol.Answer.of(describe(extracted), sent);
  }

  /** What a servlet's getter reads. */
  private static String firstLine(List<List<String>> headers, String name) {
    return headers.stream()
        .filter(header -> header.get(0).equalsIgnoreCase(name))
        .map(header -> header.get(1))
        .findFirst()
        .orElse(null);
  }

  private static TraceContext build(Protocol.ContextText wanted) {
    return TraceContext.newBuilder()
        .traceIdHigh(Long.parseUnsignedLong(wanted.traceId().substring(0, 16), 16))
        .traceId(Long.parseUnsignedLong(wanted.traceId().substring(16), 16))
        .spanId(Long.parseUnsignedLong(wanted.spanId(), 16))
        .sampled((wanted.flags() & 1) == 1)
        .build();
  }

  private static Protocol.ContextText describe(TraceContextOrSamplingFlags extracted) {
    int sampled = Boolean.TRUE.equals(extracted.sampled()) ? 1 : 0;
    TraceContext context = extracted.context();
    if (context == null) {
      return new Protocol.ContextText(null, null, sampled, null, null, state(extracted.samplingFlags()));
    }
    String traceId = "0".repeat(32 - context.traceIdString().length()) + context.traceIdString();
    return new Protocol.ContextText(traceId, context.spanIdString(), sampled, null, null, state(context));
  }

  private static String state(SamplingFlags flags) {
    if (flags == null || flags.sampled() == null) {
      return "defer";
    }
    return flags.debug() ? "debug" : flags.sampled() ? "accept" : "deny";
  }

  private BravePeer() {}
}
