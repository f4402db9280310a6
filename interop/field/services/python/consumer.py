"""pika under `opentelemetry-instrument`: takes messages from one queue and sends their bodies to the next."""

import sys

import pika

url, ours, following = sys.argv[1:]
channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
for queue in (ours, following):
    channel.queue_declare(queue)


def process(channel, method, _, body):
    channel.basic_publish("", following, body)
    channel.basic_ack(method.delivery_tag)


channel.basic_consume(ours, process)
print("ready", flush=True)
channel.start_consuming()
