"""Events over HTTP for whoever cannot speak Kafka; nothing is said to be accepted before Kafka has it."""
