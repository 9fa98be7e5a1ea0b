scenario "conditions" {
  type    = "task"
  title   = "T"
  summary = "S"

  situation = "What there is."
  goal      = "What shall be so."
  input "image" { default = "nginx" }
  solved {
    stable_for = "1h" # ERROR: "stable_for" must be from 0s to 10m.
    condition "a" { # ERROR: needs either the name of an object or a label selector; ERROR: Condition "a" needs the attribute "holds".
      kind = "pod" # ERROR: "pod" is not a kind of object such as Pod or Deployment.apps.
      says = "x"
    }
    condition "b" {
      kind      = "Pod"
      name      = "x y" # ERROR: "x y" cannot be the name of an object.
      selector  = "a=b=c" # ERROR: is not a label selector; ERROR: has either a name or a selector, not both
      namespace = "Kube_System" # ERROR: The name of a namespace consists of
      match     = "some" # ERROR: "match" is any (one matching object suffices), all (every one must hold) or none
      says      = "x"
      holds     = slef.status.phase == "Running" # ERROR: There is nothing called "slef" here. Did you mean "self"?
      inconclusive_if    = input.imag == "x" # ERROR: No input "imag" is declared. Did you mean "image"?
      sticky     = "perhaps" # ERROR: "sticky" must be true or false, and this is a text.
    }
    condition "b" { # ERROR: The condition "b" is declared twice in the solved block.
      kind     = "Pod"
      selector = "" # ERROR: An empty selector would match every object.
      says     = "x"
      holds    = "running" # ERROR: This expression must be true or false, and it is a text.
    }
    condition "c" {
      kind  = "Pod"
      name  = "x"
      match = "any" # ERROR: "match" goes with a selector
      says  = "x"
      holds = contians(self.a, "x") # ERROR: There is no function "contians". Did you mean "contains"?
    }
    condition "d" {
      kind   = "Pod"
      name   = "x"
      says   = "x"
      holds  = regexmatch("(", self.status.phase) # ERROR: Error parsing regexp: missing closing )
      inconclusive_if = startswith(self.a) # ERROR: The function "startswith" takes 2, and 1 are given.
    }
    condition "e" {
      kind   = "Pod"
      name   = "x"
      says   = "x"
      holds  = { ready = self.ready } # ERROR: must be true or false, and it is an object.
      inconclusive_if = var.x == 1 # ERROR: A condition cannot refer to var.
    }
    guard {
      # ERROR line 53: Write it as: guard "name" { … }.
      kind  = "Pod"
      name  = "x"
      says  = "x"
      holds = self.ready && [] # ERROR: Invalid operand
    }
  }
  hint {
    text = self.status.phase # ERROR: The live object, self, is known only in holds and inconclusive_if.
    when { # ERROR: The when block needs the attribute "holds".
      kind = "Pod"
      name = "x"
    }
    when { # ERROR: A hint has one "when" block; the first is on line 63.
    }
  }
  solution {
    says = "x"
    run  = ["echo ${HOME}"] # ERROR: There is nothing called "HOME" here
  }
  wrong_fix "x" {
    says = "x"
    run  = ["true"]
  }
  wrong_fix "x" { # ERROR: The wrong_fix "x" is declared twice.
    says = "x"
    run  = { a = 1 } # ERROR: "run" must be a list of texts, and this is an object.
  }
}
