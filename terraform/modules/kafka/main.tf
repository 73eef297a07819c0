locals {
  managed  = var.mode == "managed" ? { this = true } : {}
  cluster  = one(values(aws_msk_cluster.this))
  username = "tollgate"
}

resource "aws_security_group" "this" {
  for_each    = local.managed
  name        = "${var.name}-kafka"
  description = "Kafka from the cluster's nodes"
  vpc_id      = var.vpc_id
  tags        = { Name = "${var.name}-kafka" }
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each                     = local.managed
  security_group_id            = aws_security_group.this[each.key].id
  description                  = "SASL/SCRAM from the cluster's nodes"
  referenced_security_group_id = var.client_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 9096
  to_port                      = 9096
}

resource "aws_kms_key" "this" {
  for_each                = local.managed
  description             = "Kafka of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 7
}

resource "aws_cloudwatch_log_group" "this" {
  for_each          = local.managed
  name              = "/${var.name}/kafka"
  retention_in_days = var.log_days
}

resource "aws_msk_configuration" "this" {
  for_each       = local.managed
  name           = var.name
  kafka_versions = [var.kafka_version]
  # An event is acknowledged once two of three copies have it.
  server_properties = <<-PROPERTIES
    auto.create.topics.enable = false
    default.replication.factor = 3
    min.insync.replicas = 2
    log.retention.hours = ${var.retention_hours}
    unclean.leader.election.enable = false
  PROPERTIES
}

resource "aws_msk_cluster" "this" {
  for_each               = local.managed
  cluster_name           = var.name
  kafka_version          = var.kafka_version
  number_of_broker_nodes = length(var.subnet_ids)
  enhanced_monitoring    = "PER_TOPIC_PER_BROKER"

  broker_node_group_info {
    instance_type   = var.broker.instance_type
    client_subnets  = var.subnet_ids
    security_groups = [aws_security_group.this[each.key].id]
    storage_info {
      ebs_storage_info {
        volume_size = var.broker.disk_gib
      }
    }
  }

  client_authentication {
    unauthenticated = false
    sasl {
      scram = true
    }
  }

  encryption_info {
    encryption_at_rest_kms_key_arn = aws_kms_key.this[each.key].arn
    encryption_in_transit {
      client_broker = "TLS"
      in_cluster    = true
    }
  }

  configuration_info {
    arn      = aws_msk_configuration.this[each.key].arn
    revision = aws_msk_configuration.this[each.key].latest_revision
  }

  logging_info {
    broker_logs {
      cloudwatch_logs {
        enabled   = true
        log_group = aws_cloudwatch_log_group.this[each.key].name
      }
    }
  }

  lifecycle {
    precondition {
      condition     = length(var.subnet_ids) == 3
      error_message = "Managed Kafka keeps three copies of each event: give it subnets in three zones."
    }
    ignore_changes = [broker_node_group_info[0].storage_info[0].ebs_storage_info[0].volume_size] # grown by MSK itself
  }
}

# ---- password: in Secrets Manager and in Kafka, nowhere else ----------------------------------

resource "aws_secretsmanager_secret" "user" {
  for_each                = local.managed
  name                    = "AmazonMSK_${var.name}" # MSK reads secrets of this prefix only
  description             = "User of Tollgate's broker in Kafka"
  kms_key_id              = aws_kms_key.this[each.key].arn
  recovery_window_in_days = var.recovery_days
}

ephemeral "aws_secretsmanager_random_password" "user" {
  for_each            = local.managed
  password_length     = 64
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret_version" "user" {
  for_each  = local.managed
  secret_id = aws_secretsmanager_secret.user[each.key].id
  secret_string_wo = jsonencode({
    username = local.username
    password = ephemeral.aws_secretsmanager_random_password.user[each.key].random_password
  })
  secret_string_wo_version = var.password_version
}

resource "aws_msk_scram_secret_association" "this" {
  for_each        = local.managed
  cluster_arn     = aws_msk_cluster.this[each.key].arn
  secret_arn_list = [aws_secretsmanager_secret.user[each.key].arn]
  depends_on      = [aws_secretsmanager_secret_version.user]
}
