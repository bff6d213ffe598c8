"""The only folder that imports pika."""
