# Delivery. fn=<function> env=<environment> image=<registry>/<function>:<tag>
PIPELINE = $(BIN)/python -m eventing.pipelines
# Asks the platform where its cluster is; what went wrong is what the question printed.
WITH_CLUSTER = kube=$$($(ENVIRONMENT) kubeconfig $(env)) || { echo "$$kube"; exit 1; }; \
	KUBECONFIG="$$kube"
# Names the first variable that is missing, and all that the target takes.
needs = $(foreach v,$(1),test -n "$($(v))" || { \
	echo "Say $(v): make $@ $(foreach w,$(1),$(w)=…)"; exit 2; };)
.PHONY: pipelines scan push deploy rollout record ready

pipelines: $(VENV)/run.stamp ## Write each function's workflow anew, from what it imports
	@$(PIPELINE) write

scan: $(VENV)/run.stamp ## Scan what a function's image contains: fn=NAME
	@$(call needs,fn)$(PIPELINE) scan $(fn)

push: $(VENV)/run.stamp ## Build an image, and push it under its full name: fn=NAME image=REFERENCE
	@$(call needs,fn image)$(PIPELINE) push $(fn) $(image)

deploy: $(VENV)/run.stamp ## Run an image in an environment: env=NAME fn=NAME image=REFERENCE
	@$(call needs,env fn image)$(PIPELINE) pin $(env) $(fn) $(image) $(if $(terraform),--folder $(terraform))
	@$(MAKE) --no-print-directory apply env=$(env) only=apps

rollout: $(VENV)/run.stamp ## Promote an image by what its tasks cost: env=NAME fn=NAME image=REFERENCE
	@$(call needs,env fn image)$(WITH_CLUSTER) $(BIN)/tollgate rollout start $(fn) --image $(image) --auto-promote --wait $(ARGS)
	@$(MAKE) --no-print-directory deploy env=$(env) fn=$(fn) image=$(image)

record: $(VENV)/run.stamp ## Commit and push what an environment runs: env=NAME fn=NAME image=REFERENCE
	@$(call needs,env fn image)$(PIPELINE) record $(env) $(fn) $(image)

ready: $(VENV)/run.stamp ## Check whether an environment is ready for production: env=NAME [live=1]
	@$(call needs,env)$(if $(live),$(WITH_CLUSTER)) $(BIN)/tollgate ready --env $(env) $(if $(live),--live) $(ARGS)
