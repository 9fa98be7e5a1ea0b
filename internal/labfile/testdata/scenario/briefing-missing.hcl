scenario "briefing-missing" { # ERROR: A scenario of type "task" needs the attribute "goal": what shall be so at the end
  type      = "task"
  title     = "T"
  summary   = "S"
  situaton  = "What there is." # ERROR: has no attribute "situaton". Did you mean "situation"?
  solved {
    condition "x" {
      kind  = "Pod"
      name  = "x"
      says  = "x"
      holds = self.status.phase == "Running"
    }
  }
  solution {
    says = "x"
    run  = "true"
  }
  wrong_fix "d" {
    says = "x"
    run  = "true"
  }
}
