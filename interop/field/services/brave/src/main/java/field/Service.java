package field;

import brave.Tracing;
import brave.baggage.BaggageField;
import brave.baggage.BaggagePropagation;
import brave.baggage.BaggagePropagationConfig.SingleBaggageField;
import brave.http.HttpTracing;
import brave.httpclient5.HttpClient5Tracing;
import brave.propagation.B3Propagation;
import brave.propagation.TraceContext;
import brave.jakarta.servlet.TracingFilter;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.eclipse.jetty.ee10.servlet.FilterHolder;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.eclipse.jetty.server.ServerConnector;
import zipkin2.reporter.brave.AsyncZipkinSpanHandler;
import zipkin2.reporter.urlconnection.URLConnectionSender;

/** Jetty and Apache's client under Brave, which knows B3 and hands the baggage header on as a field of its own. */
public final class Service extends HttpServlet {
  private static final List<String> REPORTED =
      List.of("baggage", "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags");
  // Brave does not read W3C's baggage: the header travels as one text.
  private static final BaggageField BAGGAGE = BaggageField.create("baggage");

  private final Tracing tracing;
  private final CloseableHttpClient client;

  private Service(Tracing tracing, CloseableHttpClient client) {
    this.tracing = tracing;
    this.client = client;
  }

  public static void main(String[] arguments) throws Exception {
    boolean multi = System.getenv("OTEL_PROPAGATORS").contains("b3multi");
    var format = multi ? B3Propagation.Format.MULTI : B3Propagation.Format.SINGLE_NO_PARENT;
    var propagation =
        BaggagePropagation.newFactoryBuilder(B3Propagation.newFactoryBuilder().injectFormat(format).build())
            .add(SingleBaggageField.newBuilder(BAGGAGE).addKeyName("baggage").build())
            .build();
    var sender = URLConnectionSender.create(System.getenv("OTEL_EXPORTER_OTLP_ENDPOINT") + "/api/v2/spans");
    var tracing =
        Tracing.newBuilder()
            .localServiceName("brave")
            .propagationFactory(propagation)
            .traceId128Bit(true)
            // A server span of its own, as every OpenTelemetry service has one: else it shares its caller's span id.
            .supportsJoin(false)
            .addSpanHandler(AsyncZipkinSpanHandler.newBuilder(sender).queuedMaxSpans(20_000).build())
            .build();
    var http = HttpTracing.create(tracing);
    var connections = PoolingHttpClientConnectionManagerBuilder.create().setMaxConnTotal(512).setMaxConnPerRoute(512);
    var client =
        HttpClient5Tracing.newBuilder(http).build(HttpClientBuilder.create().setConnectionManager(connections.build()));

    var server = new Server(new QueuedThreadPool(300));
    var connector = new ServerConnector(server);
    connector.setHost("127.0.0.1");
    connector.setPort(Integer.parseInt(arguments[0]));
    connector.setAcceptQueueSize(512);
    server.addConnector(connector);
    var servlets = new ServletContextHandler();
    servlets.addFilter(new FilterHolder(TracingFilter.create(http)), "/*", EnumSet.of(DispatcherType.REQUEST));
    servlets.addServlet(new ServletHolder(new Service(tracing, client)), "/");
    server.setHandler(servlets);
    server.start();
  }

  @Override
  protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
    String to = request.getParameter("to");
    String more = to == null || to.isEmpty() ? "" : "," + next(to);
    response.setContentType("application/json");
    response.getWriter().write("[" + report(request) + more + "]");
  }

  private String next(String list) throws IOException {
    String[] parts = list.split(",", 2);
    var get = new HttpGet("http://" + parts[0] + "/?to=" + (parts.length > 1 ? parts[1] : ""));
    return client.execute(
        get,
        answer -> {
          String text = EntityUtils.toString(answer.getEntity()).trim();
          if (answer.getCode() != 200) {
            throw new IOException(answer.getCode() + " " + text);
          }
          return text.substring(1, text.length() - 1);
        });
  }

  private String report(HttpServletRequest request) {
    TraceContext context = tracing.currentTraceContext().get();
    var headers = new ArrayList<String>();
    for (String name : REPORTED) {
      List<String> lines = Collections.list(request.getHeaders(name));
      if (!lines.isEmpty()) {
        headers.add(quoted(name) + ":" + quoted(String.join(",", lines)));
      }
    }
    return "{\"service\":\"brave\",\"trace\":" + quoted(context.traceIdString())
        + ",\"span\":" + quoted(context.spanIdString())
        + ",\"sampled\":" + Boolean.TRUE.equals(context.sampled())
        + ",\"tracestate\":\"\",\"baggage\":{" + members(BAGGAGE.getValue(context)) + "}"
        + ",\"headers\":{" + String.join(",", headers) + "}}";
  }

  /** The plain members of the trials as JSON. */
  private static String members(String header) {
    return header == null
        ? ""
        : List.of(header.split(",")).stream()
            .map(member -> member.split("=", 2))
            .map(parts -> quoted(parts[0]) + ":" + quoted(parts[1]))
            .collect(Collectors.joining(","));
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }
}
