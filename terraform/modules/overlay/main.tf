# The overlay as it is: says which functions, namespace and settings there are.
data "kustomization_build" "as_is" {
  path = var.path
}

locals {
  ids_as_is = keys(data.kustomization_build.as_is.manifests)
  functions = sort([
    for id in local.ids_as_is : split("/", id)[3] if startswith(id, "serving.knative.dev/Service/")
  ])
  own_namespace = one([
    for id in local.ids_as_is : split("/", id)[3] if startswith(id, "_/Namespace/")
  ])
  namespace = coalesce(var.namespace, local.own_namespace)

  accounts = [
    for id in local.ids_as_is : split("/", id)[3] if startswith(id, "_/ServiceAccount/")
  ]
  role_annotation = "eks.amazonaws.com/role-arn"
  roles           = { for name, arn in var.role_arns : name => arn if contains(local.functions, name) }
  new_accounts    = { for name, arn in local.roles : name => arn if !contains(local.accounts, name) }
  unknown         = setsubtract(keys(var.images), local.functions)
  own_images = {
    for id, manifest in data.kustomization_build.as_is.manifests : split("/", id)[3] =>
    regex("^(?P<registry>.*)/[^/]*:(?P<tag>[^:]+)$", jsondecode(manifest).spec.template.spec.containers[0].image)
    if startswith(id, "serving.knative.dev/Service/")
  }
  # Every function's image, unless all of them stay as they are in the overlay.
  images = {
    for name, own in local.own_images : name => try(
      var.images[name],
      "${coalesce(var.registry, own.registry)}/${name}:${coalesce(var.image_tag, own.tag)}"
    ) if var.registry != null || var.image_tag != null || contains(keys(var.images), name)
  }
}

# JSON patches only: a strategic merge would replace all containers of a Knative Service.
data "kustomization_overlay" "this" {
  resources = [var.path]
  namespace = local.namespace

  dynamic "patches" {
    for_each = local.images
    content {
      target {
        group = "serving.knative.dev"
        kind  = "Service"
        name  = patches.key
      }
      patch = yamlencode([{
        op    = "replace"
        path  = "/spec/template/spec/containers/0/image"
        value = patches.value
      }])
    }
  }

  dynamic "patches" {
    for_each = local.roles
    content {
      target {
        group = "serving.knative.dev"
        kind  = "Service"
        name  = patches.key
      }
      patch = yamlencode([{
        op    = "add"
        path  = "/spec/template/spec/serviceAccountName"
        value = patches.key
      }])
    }
  }

  dynamic "patches" {
    for_each = { for name, arn in local.roles : name => arn if contains(local.accounts, name) }
    content {
      target {
        kind = "ServiceAccount"
        name = patches.key
      }
      patch = yamlencode({
        apiVersion = "v1"
        kind       = "ServiceAccount"
        metadata   = { name = patches.key, annotations = { (local.role_annotation) = patches.value } }
      })
    }
  }

  dynamic "patches" {
    for_each = length(var.settings) > 0 ? [1] : []
    content {
      target {
        kind = "ConfigMap"
        name = "tollgate"
      }
      patch = yamlencode([
        for key, value in var.settings : { op = "add", path = "/data/${key}", value = value }
      ])
    }
  }

  # Environment variables are read at the start of a revision: other values need a new one.
  dynamic "patches" {
    for_each = length(var.settings) > 0 ? [1] : []
    content {
      target {
        group = "serving.knative.dev"
        kind  = "Service"
      }
      patch = yamlencode([{
        op    = "add"
        path  = "/spec/template/metadata/annotations/tollgate.dev~1overrides"
        value = join(" ", [for key, value in var.settings : "${key}=${value}"])
      }])
    }
  }

  dynamic "patches" {
    for_each = var.bootstrap_servers == null ? [] : [1]
    content {
      target {
        kind = "ConfigMap"
        name = "kafka-broker-config"
      }
      patch = yamlencode([{
        op = "add", path = "/data/bootstrap.servers", value = var.bootstrap_servers
      }])
    }
  }
}

locals {
  # Kustomize moves objects to a namespace, not what their fields say about it: references, host
  # names, the broker's path, its audience, service accounts, selectors, queries of alerts.
  own   = local.own_namespace
  fresh = local.namespace
  referring = {
    for id, manifest in data.kustomization_overlay.this.manifests : id => replace(replace(replace(
      manifest,
      "\"namespace\":\"${local.own}\"", "\"namespace\":\"${local.fresh}\""),
      "\"kubernetes.io/metadata.name\":\"${local.own}\"", "\"kubernetes.io/metadata.name\":\"${local.fresh}\""),
    "system:serviceaccount:${local.own}:", "system:serviceaccount:${local.fresh}:")
  }
  moved = {
    for id, manifest in local.referring : id => replace(replace(replace(replace(
      manifest,
      "/\\.${local.own}\\.svc/", ".${local.fresh}.svc"),
      "/(\\.svc[.a-z]*(?::[0-9]+)?)\\/${local.own}\\//", "$1/${local.fresh}/"),
      "broker/${local.own}/", "broker/${local.fresh}/"),
    "namespace=\\\"${local.own}\\\"", "namespace=\\\"${local.fresh}\\\"")
  }

  # What no other layer takes belongs to apps, so that nothing is left out.
  layers = {
    for id in keys(local.moved) : id => (
      startswith(id, "monitoring.coreos.com/") ? "observability" :
      can(jsondecode(local.moved[id]).metadata.labels.grafana_dashboard) ? "observability" :
      contains(local.messaging_kinds, join("/", slice(split("/", id), 0, 2))) ? "messaging" :
      can(regex("^_/ConfigMap/[^/]+/(.*-broker-config|redis)", id)) ? "messaging" : "apps"
    )
  }
  messaging_kinds = [
    "_/Namespace", "_/ServiceAccount", "rbac.authorization.k8s.io/Role",
    "rbac.authorization.k8s.io/RoleBinding", "_/Service", "_/PersistentVolumeClaim", "_/ResourceQuota", "_/LimitRange",
    "apps/StatefulSet", "eventing.knative.dev/Broker", "kafka.strimzi.io/Kafka",
    "kafka.strimzi.io/KafkaNodePool", "networking.k8s.io/NetworkPolicy",
  ]

  # Overlays write addresses that they cannot know under the domain that never resolves.
  placeholders = distinct(flatten([
    for id, manifest in local.moved : regexall("[a-z0-9.-]+\\.invalid(?::[0-9]+)?", manifest)
    if local.layers[id] == var.layer
  ]))

  # Order of creation; ids_prio knows namespaces and definitions, everything else, webhooks.
  levels = [
    for level in data.kustomization_overlay.this.ids_prio :
    toset([for id in level : id if local.layers[id] == var.layer])
  ]
}

resource "kustomization_resource" "first" {
  for_each   = local.levels[0]
  depends_on = [var.after]

  manifest = local.moved[each.value]

  timeouts {
    create = var.timeout
  }
}

# Serving looks an account up when a Service is only planned: accounts belong to the layer before.
resource "kustomization_resource" "account" {
  for_each   = var.layer == "messaging" ? local.new_accounts : {}
  depends_on = [kustomization_resource.first]

  manifest = jsonencode({
    apiVersion = "v1"
    kind       = "ServiceAccount"
    metadata = {
      name        = each.key
      namespace   = local.namespace
      annotations = { (local.role_annotation) = each.value }
    }
  })
}

resource "kustomization_resource" "second" {
  for_each   = local.levels[1]
  depends_on = [kustomization_resource.first, kustomization_resource.account, var.after]

  manifest = local.moved[each.value]
  wait     = var.wait

  timeouts {
    create = var.timeout
    update = var.timeout
  }
}

resource "kustomization_resource" "third" {
  for_each   = local.levels[2]
  depends_on = [kustomization_resource.second]

  manifest = local.moved[each.value]
}
