scenario "probes" {
  type    = "task"
  title   = "Probes"
  summary = "What is wrong with them."

  situation = "What there is."
  goal      = "What shall be so."

  probe "both" { # ERROR: Probe "both" runs in a live pod (pod = a label selector), in a pod of its own (image) or on a node (node): give it exactly one of them.
    pod     = "app=web"
    node    = "worker"
    run     = "true"
    control = "true"
  }
  probe "2 words" { # ERROR: The probe "2 words" must be a word
    pod = "app=web"
  }
  probe "uncontrolled" { # ERROR: Probe "uncontrolled" needs the attribute "control"
    image = "busybox:1.36"
    run   = "wget -qO- http://web"
  }
  probe "idle" { # ERROR: Probe "idle" needs the attribute "run"
    node = "worker"
  }
  probe "idle" { # ERROR: The probe "idle" is declared twice.
    node = "worker"
    run  = "true"
  }
  probe "log" { # ERROR: Probe "log" reads a log, and so has no run and no control.
    pod = "app=web"
    log = true
    run = "true"
  }
  probe "wrong" {
    image     = "Busy Box" # ERROR: "Busy Box" is not an image
    container = "x" # ERROR: "container" does not go with "image".
    labels    = { "labctl/lab" = "x" } # ERROR: labctl/lab is not an author's to give.
    run       = " " # ERROR: "run" says nothing.
    control   = "true"
    within    = "2m" # ERROR: "within" must be from 1s to 20s.
    previous  = true # ERROR: "previous" does not go with "image".; ERROR: "previous" goes with "log".
  }
  probe "account" { # ERROR: A service account and a claim are a namespace's: probe "account" needs the attribute "namespace".
    image           = "busybox:1.36"
    service_account = "reader"
    run             = "true"
    control         = "true"
  }
  probe "nodes" {
    node = "cluster-worker" # ERROR: "cluster-worker" is not a node such as control-plane, worker or worker2.
    run  = "true"
  }
  probe "select" {
    pod     = "app in" # ERROR: "app in" is not a label selector such as app=web.
    run     = "true"
    control = "true"
  }
  solved {
    condition "unknown" {
      says  = "unknown"
      holds = probe.idel.exit == 0 # ERROR: No probe "idel" is declared. Did you mean "idle"?
    }
    condition "number" {
      says  = "number"
      holds = probe.idle.exit # ERROR: This expression must be true or false, and it is a number.
    }
    condition "self" {
      says   = "self"
      name   = "x" # ERROR: "name" is for a condition on objects, which has a kind.
      sticky = true # ERROR: "sticky" is for a condition on objects, which has a kind.
      holds  = probe.idle.exit == 0 && self.a == "" # ERROR: Without a kind this condition asks about probes alone, and there is no self.
    }
    condition "neither" { # ERROR: Condition "neither" needs the attribute "kind".; ERROR: needs either the name of an object or a label selector.
      says  = "neither"
      holds = true
    }
  }
  hint {
    text = "x"
    when { # ERROR: A hint is chosen without probing.
      holds = probe.idle.exit == 0
    }
  }
  solution {
    says = "x"
    run  = ["true"]
  }
  wrong_fix "x" {
    says = "x"
    run  = ["true"]
  }
}
