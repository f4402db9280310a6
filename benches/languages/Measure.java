import com.sun.management.OperatingSystemMXBean;
import io.opentelemetry.api.baggage.propagation.W3CBaggagePropagator;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapPropagator;
import java.lang.management.ManagementFactory;
import java.util.HashMap;
import java.util.Map;

/** Extracts and injects, in Java. */
final class Measure {
  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  private static final TextMapGetter<Map<String, String>> GETTER =
      new TextMapGetter<>() {
        @Override
        public Iterable<String> keys(Map<String, String> carrier) {
          return carrier.keySet();
        }

        @Override
        public String get(Map<String, String> carrier, String key) {
          return carrier.get(key);
        }
      };

  private static long perCall(TextMapPropagator propagator, String name, String value) {
    Map<String, String> received = Map.of(name, value);
    long best = Long.MAX_VALUE;
    for (int batch = 0; batch < 8; batch++) {
      long before = SYSTEM.getProcessCpuTime();
      long calls = 0;
      while (SYSTEM.getProcessCpuTime() - before < 300_000_000) {
        for (int i = 0; i < 1000; i++) {
          Context context = propagator.extract(Context.root(), received, GETTER);
          Map<String, String> sent = new HashMap<>();
          propagator.inject(context, sent, Map::put);
          if (sent.get(name).length() != value.length()) {
            throw new IllegalStateException(sent.get(name));
          }
        }
        calls += 1000;
      }
      best = Math.min(best, (SYSTEM.getProcessCpuTime() - before) / calls);
    }
    return best;
  }

  public static void main(String[] arguments) {
    System.out.println(
        perCall(W3CTraceContextPropagator.getInstance(), "traceparent", arguments[0])
            + " "
            + perCall(W3CBaggagePropagator.getInstance(), "baggage", arguments[1]));
  }
}
