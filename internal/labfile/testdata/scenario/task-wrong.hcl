scenario "task-wrong" { # ERROR: needs a block "solved"; ERROR: needs a block "solution"; ERROR: needs a block "wrong_fix"
  type    = "task"
  title   = "T"
  summary = "S"

  situation = "What there is."
  goal      = "What shall be so."
  seed { # ERROR: needs the attribute "images"
    manifests = [] # ERROR: Nothing is seeded for a task
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
