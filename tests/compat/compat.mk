.PHONY: previous-release

previous-release: $(VENV)/dev.stamp ## Pack the ledger of REV, which tests run beside this one
	@$(BIN)/python -m tests.compat $(REV)
