.PHONY: chaos

chaos: $(VENV)/dev.stamp ## Kill, cut, fill and race on purpose (SEED=n repeats a run; ARGS go to pytest)
	@$(BIN)/python -m tests.chaos $(if $(SEED),--seed $(SEED)) -- $(ARGS)
