// amqplib, with register.js required before it: takes messages from one queue and sends their bodies to the next.
const amqp = require('amqplib');

const [url, ours, following] = process.argv.slice(2);

(async () => {
  const channel = await (await amqp.connect(url)).createChannel();
  for (const queue of [ours, following]) await channel.assertQueue(queue, { durable: false });
  await channel.consume(ours, (message) => {
    channel.sendToQueue(following, message.content);
    channel.ack(message);
  });
  console.log('ready');
})();
