scenario "needs" {
  type    = "task"
  title   = "T"
  summary = "S"

  situation = "What there is."
  goal      = "What shall be so."
  needs     = ["metrics", "network-polcy", "metrics"] # ERROR: not "network-polcy". Did you mean "network-policy"?; ERROR: "metrics" is named twice
  solved {
    condition "there" {
      says  = "it is there"
      kind  = "Pod"
      name  = "x"
      holds = can(self.status)
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
