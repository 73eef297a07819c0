plugin "terraform" {
  enabled = true
  preset  = "all"
}

# The four files of a module are versions, variables, main, outputs; what is only in one root (its
# backend) has its own.
rule "terraform_standard_module_structure" {
  enabled = true
}
