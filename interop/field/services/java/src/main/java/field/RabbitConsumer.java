package field;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import java.io.IOException;
import java.util.List;

/** RabbitMQ's own client, under OpenTelemetry's agent: takes messages from one queue and sends their bodies to the next. */
public final class RabbitConsumer extends DefaultConsumer {
  private final String following;

  private RabbitConsumer(Channel channel, String following) {
    super(channel);
    this.following = following;
  }

  public static void main(String[] arguments) throws Exception {
    var factory = new ConnectionFactory();
    factory.setUri(arguments[0]);
    var channel = factory.newConnection().createChannel();
    for (String queue : List.of(arguments[1], arguments[2])) {
      channel.queueDeclare(queue, false, false, false, null);
    }
    channel.basicConsume(arguments[1], new RabbitConsumer(channel, arguments[2]));
    System.out.println("ready");
  }

  @Override
  public void handleDelivery(String tag, Envelope envelope, AMQP.BasicProperties properties, byte[] body)
      throws IOException {
    getChannel().basicPublish("", following, null, body);
    getChannel().basicAck(envelope.getDeliveryTag(), false);
  }
}
