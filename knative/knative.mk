# What is deployed: overlays, their goldens, the rules they hold to.
.PHONY: goldens policies schemas-kinds

goldens: $(VENV)/dev.stamp ## Render every overlay of knative/ and write the goldens anew
	@$(BIN)/python -m tests.goldens

policies: $(VENV)/run.stamp ## Check every overlay of knative/ against the rules
	@$(BIN)/python -m eventing.policies $(wildcard knative/overlays/*)

schemas-kinds: $(VENV)/run.stamp ## Write the schemas of Kubernetes' and Knative's kinds anew (ARGS=CRD files)
	@$(BIN)/python -m eventing.policies.extract $(ARGS)
