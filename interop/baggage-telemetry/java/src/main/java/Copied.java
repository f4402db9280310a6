import io.opentelemetry.api.baggage.propagation.W3CBaggagePropagator;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.contrib.baggage.processor.BaggageSpanProcessor;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/** Prints which attributes BaggageSpanProcessor puts on a span for each header of a file. */
public final class Copied {
  private static final TextMapGetter<String> HEADER =
      new TextMapGetter<>() {
        @Override
        public Iterable<String> keys(String header) {
          return List.of("baggage");
        }

        @Override
        public String get(String header, String name) {
          return name.equals("baggage") ? header : null;
        }
      };

  public static void main(String[] arguments) throws IOException {
    BaggageSpanProcessor processor =
        arguments[0].equals("all")
            ? BaggageSpanProcessor.allowAllBaggageKeys()
            : new BaggageSpanProcessor(Copied::isChosen);
    SdkTracerProvider provider = SdkTracerProvider.builder().addSpanProcessor(processor).build();
    for (String header : Files.readAllLines(Path.of(arguments[1]))) {
      Context parent = W3CBaggagePropagator.getInstance().extract(Context.root(), header, HEADER);
      Span span = provider.get("interop").spanBuilder("span").setParent(parent).startSpan();
      System.out.println(
          ((ReadableSpan) span).getAttributes().asMap().entrySet().stream()
              .map(entry -> escaped(entry.getKey().getKey()) + "=" + escaped((String) entry.getValue()))
              .sorted()
              .collect(Collectors.joining(" ")));
      span.end();
    }
  }

  private static boolean isChosen(String key) {
    return key.equals("tenant") || key.startsWith("cohort.") && !key.equals("cohort.secret");
  }

  private static String escaped(String text) {
    StringBuilder out = new StringBuilder();
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      if (b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b == '.') {
        out.append((char) b);
      } else {
        out.append(String.format("%%%02X", b));
      }
    }
    return out.toString();
  }

  private Copied() {}
}
