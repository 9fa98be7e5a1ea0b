scenario "compared" {
  type      = "task"
  title     = "t"
  summary   = "s"
  situation = "x"
  goal      = "x"
  object "svc" {
    kind = "Service"
    name = "web"
  }
  object "pods" {
    kind     = "Pod"
    selector = "app=web"
  }
  object "svc" { # ERROR: The object "svc" is declared twice
    kind = "Service"
    name = "other"
  }
  object "a b" { # ERROR: must be a word of letters, digits and underscores
    kind = "Service"
    name = "other"
  }
  object "both" { # ERROR: needs the attribute "kind"
    name     = "web"
    selector = "app=web" # ERROR: either a name or a selector, not both
    holds    = true      # ERROR: "holds"
  }
  solved {
    condition "right" {
      says  = "x"
      kind  = "EndpointSlice"
      name  = "web"
      holds = live.svc.spec.ports[0].port == 80 && length(live.pods) > 1 && alltrue([for p in live.pods : ready(p)]) && self.addressType == "IPv4"
    }
    condition "misspelt" {
      says  = "x"
      kind  = "Pod"
      name  = "web"
      holds = live.svk.spec == self.spec # ERROR: No object "svk" is declared. Did you mean "svc"?
    }
    condition "undeclared" {
      says  = "x"
      kind  = "Pod"
      name  = "web"
      holds = live.database.spec == self.spec # ERROR: No object "database" is declared. Declare it with: object "database"
    }
    condition "whole" {
      says  = "x"
      kind  = "Pod"
      name  = "web"
      holds = length(live) == 2 # ERROR: Call a live object by its name: live.NAME.
    }
    condition "owner" {
      says  = "x"
      kind  = "Pod"
      name  = "web"
      holds = owned_by(self, "Job", "report") # ERROR: The function "owned_by" takes 2, and 3 are given.
    }
    condition "none" {
      says     = "x"
      kind     = "Pod"
      selector = "app=old"
      match    = "none"
      sticky   = true # ERROR: with match = "none" there is none to remember
    }
    condition "many" {
      says     = "x"
      kind     = "Pod"
      selector = "app=old"
      match    = "few" # ERROR: not "few"
      holds    = true
    }
  }
  solution {
    says = "x"
    run  = ["true"]
  }
  wrong_fix "w" {
    says = "x"
    run  = ["true"]
  }
}
