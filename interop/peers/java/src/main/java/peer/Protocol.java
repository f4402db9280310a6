package peer;

import java.util.List;
import java.util.Map;

/** What goes over the pipes, field for field. */
final class Protocol {
  record Entry(String key, String value, String metadata) {}

  record ContextText(
      String traceId, String spanId, int flags, String tracestate, List<Entry> baggage, String sampling) {}

  record Command(String format, List<List<String>> extract, ContextText inject) {}

  record Answer(ContextText context, List<List<String>> headers, String error) {
    static Answer of(ContextText context, Map<String, String> sent) {
      List<List<String>> headers =
          sent.entrySet().stream().map(header -> List.of(header.getKey(), header.getValue())).toList();
      return new Answer(context, headers, null);
    }
  }

  private Protocol() {}
}
