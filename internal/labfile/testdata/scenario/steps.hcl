scenario "steps" {
  type    = "task"
  title   = "T"
  summary = "S"

  situation = "What there is."
  goal      = "What shall be so."
  seed {
    step "one" { # ERROR: The step "one" does nothing
    }
    step "one" { # ERROR: The step "one" is declared twice
      patch { # ERROR: needs the attribute "set" (fields by JSON pointer) or "taints"
        kind = "Node"
        name = "x"
      }
    }
    step "two" {
      patch {
        kind     = "ConfigMap"
        name     = "coredns"
        taints   = ["a=b:NoSchedule"]               # ERROR: Only nodes have taints
        set      = { "/status/phase" = "x", "/spec/x" = null } # ERROR: "/status/phase" is not a JSON pointer to a field of the spec
      }
      patch {
        kind   = "Node"
        name   = "x"
        taints = ["a", "a:NoExecute"] # ERROR: "a" is not a taint
        set    = "x"                  # ERROR: "set" must be a map
      }
      until {
        condition "x" {
          says  = "x"
          kind  = "Pod"
          name  = "x"
          holds = rolled_out(self)
        }
      }
    }
    step "three" {
      replace = ["nowhere.yaml"] # ERROR: The manifest "nowhere.yaml" cannot be read
    }
  }
  solved {
    condition "x" {
      says  = "x"
      kind  = "Pod"
      name  = "x"
      holds = ready(self) && live.other.kind == "Pod"
    }
  }
  object "other" {
    kind = "Pod"
    name = "other"
  }
  object "2 words" { # ERROR: The object "2 words" must be a word
    kind = "Pod"
    name = "x"
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
