scenario "task-wrong" { # ERROR: needs a block "solved"; ERROR: needs a block "solution"; ERROR: needs a block "decoy"
  kind    = "task"
  title   = "T"
  summary = "S"
  seed { # ERROR: nothing is seeded for a task
    manifests = [] # ERROR: A seed needs at least one manifest.
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
