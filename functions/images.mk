# Container images. fn=<function>, tag=<tag>, out=<file or folder>, BASE=<image with Python 3.11>.
.PHONY: image images base-image test-images imports

tag ?= local

image: $(VENV)/run.stamp ## Build the image of one function: fn=calculator
	@test -n "$(fn)" || { echo "Say which function: make image fn=calculator"; exit 2; }
	@$(BIN)/python -m eventing.images build $(fn) --tag $(tag) $(if $(out),--out $(out))

images: $(VENV)/run.stamp ## Build the images of all functions
	@$(BIN)/python -m eventing.images build --tag $(tag) $(if $(out),--out $(out))

base-image: $(VENV)/run.stamp ## Make a base image of Debian's packages, where no registry is reached
	@$(BIN)/python -m eventing.images base

test-images: $(VENV)/dev.stamp ## Build images for real, twice, and run one (as root, needs buildah)
	@$(BIN)/python -m pytest -q tests/images -m images $(ARGS)

imports: $(VENV)/run.stamp ## Measure what the start of each function loads, against its budget
	@$(BIN)/python -m eventing.images imports $(ARGS)
