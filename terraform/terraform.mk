# Environments. Each command ends in one line that says what changed, or what went wrong and what to do.
# A folder of unpacked providers below /opt serves instead of the network, where there is one.
export TOLLGATE_TERRAFORM_PLUGINS ?= $(patsubst %/,%,$(dir $(firstword $(wildcard /opt/*/registry.*))))
# terraform=FOLDER takes another folder than this one.
ENVIRONMENT = $(BIN)/python -m eventing.environments $(if $(terraform),--folder $(terraform))
GO_AHEAD = $(if $(only),--only $(only)) $(if $(yes),--yes)
.PHONY: plan apply destroy drift kubeconfig state check-terraform test-terraform

plan: $(VENV)/run.stamp ## Show what apply would change: env=NAME [only=STACK]
	@$(ENVIRONMENT) plan $(env) $(GO_AHEAD)

apply: $(VENV)/run.stamp ## Make an environment: env=NAME [only=STACK] [yes=1 where data is lost]
	@$(ENVIRONMENT) apply $(env) $(GO_AHEAD)

destroy: $(VENV)/run.stamp ## Take an environment away: env=NAME [yes=1, else it asks]
	@$(ENVIRONMENT) destroy $(env) $(GO_AHEAD)

drift: $(VENV)/run.stamp ## Name what is not as the configuration says: env=NAME
	@$(ENVIRONMENT) drift $(env) $(GO_AHEAD)

kubeconfig: $(VENV)/run.stamp ## Say where the kubeconfig of an environment's cluster is: env=NAME
	@$(ENVIRONMENT) kubeconfig $(env)

state: $(VENV)/run.stamp ## Make the bucket that keeps states, once: bucket=NAME
	@$(ENVIRONMENT) state $(bucket)

check-terraform: ## Check all Terraform files' form, and lint them where tflint is installed
	terraform fmt -check -recursive terraform
	@if command -v tflint >/dev/null; then \
		tflint --chdir=terraform --recursive --config=$(CURDIR)/terraform/.tflint.hcl; \
		else echo "tflint is not installed: terraform/ goes unlinted"; fi

test-terraform: $(VENV)/dev.stamp ## Apply and destroy the AWS platform with the real Terraform
	@$(BIN)/python -m pytest -m terraform -n $(JOBS) --dist loadfile -q $(ARGS)
