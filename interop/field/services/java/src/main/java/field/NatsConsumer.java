package field;

import io.nats.client.Nats;
import java.time.Duration;

/** NATS' own client, under OpenTelemetry's agent: takes messages of one subject and sends their bodies to the next. */
public final class NatsConsumer {
  private NatsConsumer() {}

  public static void main(String[] arguments) throws Exception {
    var connection = Nats.connect(arguments[0]);
    var dispatcher =
        connection.createDispatcher(message -> connection.publish(arguments[2], message.getData()));
    dispatcher.subscribe(arguments[1]);
    // The server knows of it before anyone sends: it keeps nothing for who comes later.
    connection.flush(Duration.ofSeconds(10));
    System.out.println("ready");
  }
}
