package field;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.opentelemetry.api.baggage.Baggage;
import io.opentelemetry.api.trace.Span;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;

/** The JDK's server and client, under OpenTelemetry's agent. */
public final class Service {
  private static final List<String> REPORTED =
      List.of(
          ("traceparent tracestate baggage b3 x-b3-traceid x-b3-spanid x-b3-sampled x-b3-flags uber-trace-id"
                  + " x-amzn-trace-id")
              .split(" "));
  private static final HttpClient CLIENT = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  public static void main(String[] arguments) throws IOException {
    var server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 512);
    server.createContext("/", Service::answer);
    server.setExecutor(Executors.newFixedThreadPool(256));
    server.start();
  }

  private static void answer(HttpExchange exchange) throws IOException {
    int status = 200;
    String text;
    try {
      text = "[" + report(exchange) + next(exchange.getRequestURI().getQuery()) + "]";
    } catch (IOException | InterruptedException error) {
      status = 502;
      text = error.toString();
    }
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private static String next(String query) throws IOException, InterruptedException {
    String list = query == null ? "" : query.substring("to=".length());
    if (list.isEmpty()) {
      return "";
    }
    String[] parts = list.split(",", 2);
    String uri = "http://" + parts[0] + "/?to=" + (parts.length > 1 ? parts[1] : "");
    var answer = CLIENT.send(HttpRequest.newBuilder(URI.create(uri)).build(), HttpResponse.BodyHandlers.ofString());
    if (answer.statusCode() != 200) {
      throw new IOException(answer.statusCode() + " " + answer.body());
    }
    return "," + answer.body().trim().substring(1, answer.body().trim().length() - 1);
  }

  private static String report(HttpExchange exchange) {
    var span = Span.current().getSpanContext();
    var state = new ArrayList<String>();
    span.getTraceState().forEach((key, value) -> state.add(key + "=" + value));
    var baggage = new ArrayList<String>();
    Baggage.current().forEach((key, entry) -> baggage.add(quoted(key) + ":" + quoted(entry.getValue())));
    var headers =
        REPORTED.stream()
            .filter(name -> exchange.getRequestHeaders().containsKey(name))
            .map(name -> quoted(name) + ":" + quoted(String.join(",", exchange.getRequestHeaders().get(name))))
            .collect(Collectors.joining(","));
    return "{\"service\":\"java\",\"trace\":" + quoted(span.getTraceId())
        + ",\"span\":" + quoted(span.getSpanId())
        + ",\"sampled\":" + span.isSampled()
        + ",\"tracestate\":" + quoted(String.join(",", state))
        + ",\"baggage\":{" + String.join(",", baggage) + "}"
        + ",\"headers\":{" + headers + "}}";
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }
}
