.PHONY: test-kafka

test-kafka: $(VENV)/dev.stamp ## Test on a cluster with a Kafka-class broker (says what it needs)
	@$(BIN)/python -m tests.kafka $(ARGS)
