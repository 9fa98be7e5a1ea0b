scenario "task-wrong" { # ERROR: needs a block "solved"; ERROR: needs a block "solution"
  type    = "task"
  title   = "T"
  summary = "S"

  situation = "What there is."
  goal      = "What shall be so."
  seed {
    manifests = [] # ERROR: A seed needs at least one manifest
  }
  symptom { # ERROR: a task starts with nothing to see
    condition "x" {
      kind  = "Pod"
      name  = "x"
      says  = "x"
      holds = true
    }
  }
}
