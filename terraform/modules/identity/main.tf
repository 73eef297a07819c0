data "aws_partition" "current" {}

locals {
  # Who else in the cluster speaks to AWS, by namespace and service account.
  operators = {
    external-secrets = { namespace = "external-secrets", account = "external-secrets" }
    ebs-csi          = { namespace = "kube-system", account = "ebs-csi-controller-sa" }
  }
  subjects = merge(
    { for name in keys(var.functions) : name => "system:serviceaccount:${var.namespace}:${name}" },
    { for name, who in local.operators : name => "system:serviceaccount:${who.namespace}:${who.account}" },
  )
  with_buckets = { for name, rights in var.functions : name => rights if length(rights) > 0 }
  actions = {
    read  = ["s3:GetObject"]
    write = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
  }
}

data "aws_iam_policy_document" "trust" {
  for_each = local.subjects
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [var.oidc_provider_arn]
    }
    condition {
      test     = "StringEquals"
      variable = "${var.oidc_issuer}:sub"
      values   = [each.value]
    }
    condition {
      test     = "StringEquals"
      variable = "${var.oidc_issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "this" {
  for_each             = local.subjects
  name                 = "${var.name}-${each.key}"
  description          = "Taken by ${each.value}"
  assume_role_policy   = data.aws_iam_policy_document.trust[each.key].json
  max_session_duration = 3600
  permissions_boundary = var.permissions_boundary
}

# ---- functions: their buckets and nothing else ------------------------------------------------

data "aws_iam_policy_document" "buckets" {
  for_each = local.with_buckets

  statement {
    sid       = "List"
    actions   = ["s3:ListBucket", "s3:GetBucketLocation"]
    resources = [for kind in keys(each.value) : var.buckets[kind]]
  }

  dynamic "statement" {
    for_each = each.value
    content {
      sid       = "${title(statement.value)}${title(statement.key)}"
      actions   = local.actions[statement.value]
      resources = ["${var.buckets[statement.key]}/*"]
    }
  }

  statement {
    sid       = "Key"
    actions   = contains(values(each.value), "write") ? ["kms:Decrypt", "kms:GenerateDataKey"] : ["kms:Decrypt"]
    resources = [var.bucket_key_arn]
  }
}

resource "aws_iam_role_policy" "buckets" {
  for_each = local.with_buckets
  name     = "buckets"
  role     = aws_iam_role.this[each.key].id
  policy   = data.aws_iam_policy_document.buckets[each.key].json
}

# ---- operators --------------------------------------------------------------------------------

data "aws_iam_policy_document" "secrets" {
  count = length(var.secret_arns) > 0 ? 1 : 0
  statement {
    sid       = "Read"
    actions   = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
    resources = var.secret_arns
  }
  statement {
    sid       = "Key"
    actions   = ["kms:Decrypt"]
    resources = var.secret_key_arns
  }
}

resource "aws_iam_role_policy" "secrets" {
  count  = length(data.aws_iam_policy_document.secrets)
  name   = "secrets"
  role   = aws_iam_role.this["external-secrets"].id
  policy = data.aws_iam_policy_document.secrets[0].json
}

resource "aws_iam_role_policy_attachment" "ebs_csi" {
  role       = aws_iam_role.this["ebs-csi"].name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"
}
