.PHONY: test-cluster

test-cluster: $(VENV)/dev.stamp ## Test end to end on a real cluster (says what it needs)
	@$(BIN)/python -m tests.cluster $(ARGS)
