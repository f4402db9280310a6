package servers;

import java.io.InputStream;
import java.io.ByteArrayInputStream;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** {@code Main KIND PORT}: one of Java's servers at its defaults. */
public final class Main {
  private static final String HOST = "127.0.0.1";

  public static void main(String[] arguments) throws Exception {
    int port = Integer.parseInt(arguments[1]);
    switch (arguments[0]) {
      case "jetty" -> jetty(port);
      case "tomcat" -> tomcat(port);
      case "netty" -> netty(port);
      case "vertx" -> vertx(port);
      case "reactor-netty" -> reactorNetty(port);
      case "undertow" -> undertow(port);
      case "grpc" -> grpc(port);
      default -> throw new IllegalArgumentException(arguments[0]);
    }
    Thread.currentThread().join();
  }

  private static void jetty(int port) throws Exception {
    var server = new org.eclipse.jetty.server.Server();
    var configuration = new org.eclipse.jetty.server.HttpConfiguration();
    var connector =
        new org.eclipse.jetty.server.ServerConnector(
            server,
            new org.eclipse.jetty.server.HttpConnectionFactory(configuration),
            new org.eclipse.jetty.http2.server.HTTP2CServerConnectionFactory(configuration));
    connector.setHost(HOST);
    connector.setPort(port);
    server.addConnector(connector);
    server.setHandler(
        new org.eclipse.jetty.server.Handler.Abstract() {
          @Override
          public boolean handle(
              org.eclipse.jetty.server.Request request,
              org.eclipse.jetty.server.Response response,
              org.eclipse.jetty.util.Callback callback) {
            response.write(true, ByteBuffer.wrap("ok".getBytes(StandardCharsets.US_ASCII)), callback);
            return true;
          }
        });
    server.start();
  }

  private static void tomcat(int port) throws Exception {
    var tomcat = new org.apache.catalina.startup.Tomcat();
    tomcat.setBaseDir(java.nio.file.Files.createTempDirectory("tomcat").toString());
    var connector = new org.apache.catalina.connector.Connector();
    connector.setPort(port);
    connector.setProperty("address", HOST);
    connector.addUpgradeProtocol(new org.apache.coyote.http2.Http2Protocol());
    tomcat.setConnector(connector);
    var context = tomcat.addContext("", null);
    org.apache.catalina.startup.Tomcat.addServlet(
        context,
        "ok",
        new jakarta.servlet.http.HttpServlet() {
          @Override
          protected void doGet(
              jakarta.servlet.http.HttpServletRequest request,
              jakarta.servlet.http.HttpServletResponse response)
              throws java.io.IOException {
            response.getWriter().write("ok");
          }
        });
    context.addServletMappingDecoded("/", "ok");
    tomcat.start();
  }

  /** What Netty's own examples build: the codec and a handler that looks whether decoding failed. */
  private static void netty(int port) throws Exception {
    var group =
        new io.netty.channel.MultiThreadIoEventLoopGroup(1, io.netty.channel.nio.NioIoHandler.newFactory());
    new io.netty.bootstrap.ServerBootstrap()
        .group(group)
        .channel(io.netty.channel.socket.nio.NioServerSocketChannel.class)
        .childHandler(
            new io.netty.channel.ChannelInitializer<io.netty.channel.Channel>() {
              @Override
              protected void initChannel(io.netty.channel.Channel channel) {
                channel.pipeline().addLast(new io.netty.handler.codec.http.HttpServerCodec(), new NettyAnswer());
              }
            })
        .bind(HOST, port)
        .sync();
  }

  private static final class NettyAnswer
      extends io.netty.channel.SimpleChannelInboundHandler<io.netty.handler.codec.http.HttpObject> {
    @Override
    protected void channelRead0(
        io.netty.channel.ChannelHandlerContext context, io.netty.handler.codec.http.HttpObject object) {
      if (!(object instanceof io.netty.handler.codec.http.HttpRequest request)) {
        return;
      }
      var status =
          request.decoderResult().isSuccess()
              ? io.netty.handler.codec.http.HttpResponseStatus.OK
              : io.netty.handler.codec.http.HttpResponseStatus.REQUEST_HEADER_FIELDS_TOO_LARGE;
      var response =
          new io.netty.handler.codec.http.DefaultFullHttpResponse(
              io.netty.handler.codec.http.HttpVersion.HTTP_1_1, status);
      response.headers().set("content-length", "0");
      context.writeAndFlush(response).addListener(io.netty.channel.ChannelFutureListener.CLOSE);
    }
  }

  private static void vertx(int port) throws Exception {
    var server = io.vertx.core.Vertx.vertx().createHttpServer();
    server.requestHandler(request -> request.response().end("ok")).listen(port, HOST);
  }

  private static void reactorNetty(int port) {
    reactor.netty.http.server.HttpServer.create()
        .host(HOST)
        .port(port)
        .protocol(reactor.netty.http.HttpProtocol.HTTP11, reactor.netty.http.HttpProtocol.H2C)
        .handle((request, response) -> response.sendString(reactor.core.publisher.Mono.just("ok")))
        .bindNow();
  }

  private static void undertow(int port) {
    io.undertow.Undertow.builder()
        .addHttpListener(port, HOST)
        .setServerOption(io.undertow.UndertowOptions.ENABLE_HTTP2, true)
        .setHandler(exchange -> exchange.getResponseSender().send("ok"))
        .build()
        .start();
  }

  private static void grpc(int port) throws Exception {
    var bytes =
        new io.grpc.MethodDescriptor.Marshaller<byte[]>() {
          @Override
          public InputStream stream(byte[] value) {
            return new ByteArrayInputStream(value);
          }

          @Override
          public byte[] parse(InputStream stream) {
            return new byte[0];
          }
        };
    var registry =
        new io.grpc.HandlerRegistry() {
          @Override
          public io.grpc.ServerMethodDefinition<?, ?> lookupMethod(String name, String authority) {
            var method =
                io.grpc.MethodDescriptor.newBuilder(bytes, bytes)
                    .setFullMethodName(name)
                    .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
                    .build();
            return io.grpc.ServerMethodDefinition.create(
                method,
                io.grpc.stub.ServerCalls.asyncUnaryCall(
                    (byte[] request, io.grpc.stub.StreamObserver<byte[]> observer) -> {
                      observer.onNext(request);
                      observer.onCompleted();
                    }));
          }
        };
    io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder.forAddress(new InetSocketAddress(HOST, port))
        .fallbackHandlerRegistry(registry)
        .build()
        .start();
  }
}
