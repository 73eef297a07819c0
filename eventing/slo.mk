.PHONY: objectives

objectives: $(VENV)/run.stamp ## Write alerts of the agents' objectives and dashboards anew
	@$(BIN)/python -m eventing.slo
