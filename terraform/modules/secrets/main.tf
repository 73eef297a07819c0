locals {
  names   = toset(concat(keys(var.generated), keys(var.given)))
  written = { for name, version in var.given : name => version if version > 0 }
}

resource "aws_kms_key" "this" {
  description             = "Secrets of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 7
}

resource "aws_secretsmanager_secret" "this" {
  for_each                = local.names
  name                    = "${var.name}/${each.key}"
  description             = "Tollgate's ${each.key}"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = var.recovery_days
}

# Made anew in each run, and kept by none: AWS takes it only when the version's number grows.
ephemeral "aws_secretsmanager_random_password" "this" {
  for_each            = var.generated
  password_length     = 64
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret_version" "generated" {
  for_each                 = var.generated
  secret_id                = aws_secretsmanager_secret.this[each.key].id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.this[each.key].random_password
  secret_string_wo_version = each.value
}

resource "aws_secretsmanager_secret_version" "given" {
  for_each                 = local.written
  secret_id                = aws_secretsmanager_secret.this[each.key].id
  secret_string_wo         = var.values[each.key]
  secret_string_wo_version = each.value
}
