# Delivery. fn=<function> env=<environment> image=<registry>/<function>:<tag>
PIPELINE = $(BIN)/python -m eventing.pipelines
.PHONY: pipelines scan deploy

pipelines: $(VENV)/run.stamp ## Write each function's workflow anew, from what it imports
	@$(PIPELINE) write

scan: $(VENV)/run.stamp ## Scan what a function's image contains: fn=NAME
	@$(PIPELINE) scan $(fn)

deploy: $(VENV)/run.stamp ## Run an image in an environment: env=NAME fn=NAME image=REFERENCE
	@$(PIPELINE) pin $(env) $(fn) $(image)
	@$(MAKE) --no-print-directory apply env=$(env) only=apps
