locals {
  managed = var.mode == "managed" ? { this = true } : {}
  secret  = one(values(aws_secretsmanager_secret.url))
}

resource "aws_elasticache_subnet_group" "this" {
  for_each   = local.managed
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_security_group" "this" {
  for_each    = local.managed
  name        = "${var.name}-redis"
  description = "Redis from the cluster's nodes"
  vpc_id      = var.vpc_id
  tags        = { Name = "${var.name}-redis" }
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each                     = local.managed
  security_group_id            = aws_security_group.this[each.key].id
  description                  = "Redis from the cluster's nodes"
  referenced_security_group_id = var.client_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
}

# The ledger refuses to start on a server that may evict: an evicted account is lost money.
resource "aws_elasticache_parameter_group" "this" {
  for_each = local.managed
  name     = var.name
  family   = "redis7"
  parameter {
    name  = "maxmemory-policy"
    value = "noeviction"
  }
}

resource "aws_kms_key" "this" {
  for_each                = local.managed
  description             = "Redis of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 7
}

resource "aws_elasticache_replication_group" "this" {
  for_each                   = local.managed
  replication_group_id       = var.name
  description                = "State and ledger of ${var.name}"
  engine                     = "redis"
  engine_version             = "7.1"
  node_type                  = var.node_type
  num_cache_clusters         = var.replicas + 1
  automatic_failover_enabled = true
  multi_az_enabled           = true
  at_rest_encryption_enabled = true
  kms_key_id                 = aws_kms_key.this[each.key].arn
  transit_encryption_enabled = true
  snapshot_retention_limit   = var.snapshot_days
  parameter_group_name       = aws_elasticache_parameter_group.this[each.key].name
  subnet_group_name          = aws_elasticache_subnet_group.this[each.key].name
  security_group_ids         = [aws_security_group.this[each.key].id]

  lifecycle {
    # The provider would keep a password in the state: the script below gives it instead (ADR 0018).
    ignore_changes = [auth_token, auth_token_update_strategy]
  }
}

# ---- password: in Secrets Manager and in Redis, nowhere else ----------------------------------

resource "aws_secretsmanager_secret" "url" {
  for_each                = local.managed
  name                    = "${var.name}/redis-url"
  description             = "REDIS_URL with its password"
  kms_key_id              = aws_kms_key.this[each.key].arn
  recovery_window_in_days = var.recovery_days
}

ephemeral "aws_secretsmanager_random_password" "token" {
  for_each            = local.managed
  password_length     = 64
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret_version" "url" {
  for_each  = local.managed
  secret_id = aws_secretsmanager_secret.url[each.key].id
  secret_string_wo = format("rediss://:%s@%s:6379/0",
    ephemeral.aws_secretsmanager_random_password.token[each.key].random_password,
    aws_elasticache_replication_group.this[each.key].primary_endpoint_address,
  )
  secret_string_wo_version = var.token_version
}

resource "terraform_data" "token" {
  for_each         = local.managed
  triggers_replace = [aws_elasticache_replication_group.this[each.key].id, aws_secretsmanager_secret_version.url[each.key].version_id]

  provisioner "local-exec" {
    command = "${path.module}/set-auth-token.sh"
    environment = {
      GROUP  = aws_elasticache_replication_group.this[each.key].id
      SECRET = aws_secretsmanager_secret.url[each.key].arn
    }
  }
}
