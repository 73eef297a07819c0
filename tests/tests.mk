.PHONY: test-cluster test-alerts

test-cluster: $(VENV)/dev.stamp ## Test end to end on a real cluster (says what it needs)
	@$(BIN)/python -m tests.cluster $(ARGS)

test-alerts: $(VENV)/dev.stamp ## Check the alert rules with promtool, and what raises them
	@$(BIN)/python -m tests.alerts
