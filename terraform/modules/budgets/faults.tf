# Says what is wrong with var.budgets, by the same rules as the ledger, before anything is applied.
locals {
  scopes   = ["tenant", "agent", "session", "model", "tool"]
  windows  = ["life", "hour", "day", "week", "month"]
  policies = ["observe", "deny", "pause"]
  units    = ["usd", "tokens", "calls"]
  usd      = "^[0-9]{1,7}(\\.[0-9]{1,9})?$"
  name     = "^[a-z0-9][a-z0-9-]{0,62}$"

  tenants = try({ for name, tenant in var.budgets.tenants : name => tenant }, {})
  budgets = merge(flatten([[
    for name, tenant in local.tenants : {
      for index, budget in try(tenant.budgets, []) : "tenants.${name}.budgets[${index}]" => budget
    }
  ]])...)
  caps = { for index, cap in try(var.budgets.platform, []) : "platform[${index}]" => cap }

  # What each object may hold.
  fields = merge(
    { "the file" = { has = keys(var.budgets), may = ["version", "tenants", "platform"] } },
    { for name, tenant in local.tenants : "tenants.${name}" => {
      has = try(keys(tenant), []), may = ["timezone", "budgets", "prices"]
    } },
    { for place, budget in local.budgets : place => {
      has = try(keys(budget), []), may = concat(["scope", "id", "window", "thresholds", "policy"], local.units)
    } },
    { for place, cap in local.caps : place => {
      has = try(keys(cap), []), may = concat(["cap", "window", "chunk", "tenants"], local.units)
    } },
  )

  # Each rule: where it is broken.
  broken = {
    "version must be 1" = try(var.budgets.version == 1, false) ? [] : ["the file"]
    "a tenant's name has a-z, 0-9 and -, at most 63 characters" = [
      for name in keys(local.tenants) : "tenants.${name}" if !can(regex(local.name, name))
    ]
    "scope is one of ${join(", ", local.scopes)}" = [
      for place, x in local.budgets : place if !contains(local.scopes, try(x.scope, "none"))
    ]
    "id says which one; only a budget of scope tenant needs none" = [
      for place, x in local.budgets : place if try(x.scope, "") != "tenant" && try(length(x.id), 0) == 0
    ]
    "window is one of ${join(", ", local.windows)}" = [
      for place, x in merge(local.budgets, local.caps) : place
      if !contains(local.windows, try(x.window, "life"))
    ]
    "policy is one of ${join(", ", local.policies)}" = [
      for place, x in local.budgets : place if !contains(local.policies, try(x.policy, "deny"))
    ]
    "a budget needs one or more of usd, tokens, calls" = [
      for place, x in local.budgets : place if length(setintersection(try(keys(x), []), local.units)) == 0
    ]
    "a cap needs exactly one of usd, tokens, calls" = [
      for place, x in local.caps : place if length(setintersection(try(keys(x), []), local.units)) != 1
    ]
    "usd is a decimal from 0, with at most 9 decimals, in quotes" = [
      for place, x in merge(local.budgets, local.caps) : place if !can(regex(local.usd, try(x.usd, "0")))
    ]
    "tokens and calls are whole numbers from 0" = [
      for place, x in merge(local.budgets, local.caps) : place if !alltrue([
        for n in [try(x.tokens, 0), try(x.calls, 0)] : try(n >= 0 && floor(n) == n, false)
      ])
    ]
    "thresholds are at most 8 whole percents from 1 to 1000" = [
      for place, x in local.budgets : place if !try(length(x.thresholds) <= 8 && alltrue([
        for n in x.thresholds : n >= 1 && n <= 1000 && floor(n) == n
      ]), !contains(try(keys(x), []), "thresholds"))
    ]
  }

  faults = concat(
    flatten([
      for place, field in local.fields : [
        for name in setsubtract(field.has, field.may) :
        "${place}: there is no field ${name}; ${join(", ", field.may)}"
      ]
    ]),
    flatten([for rule, places in local.broken : [for place in places : "${place}: ${rule}"]]),
  )
}
