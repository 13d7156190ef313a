"""RabbitMQ: the only package that knows AMQP, kombu, py-amqp or pika."""
