scenario "demo-wrong" { # ERROR: needs a block "seed"; ERROR: needs a block "symptom"; ERROR: A demo needs at least two blocks "disturbance"
  type    = "demo"
  title   = "T"
  summary = "S"
  disturbance "one" {
    says = "x"
    run  = [] # ERROR: There must be at least one command.
  }
  solution { # ERROR: a demo is not solved: it holds
    says = "x"
    run  = [" "] # ERROR: A command says nothing.
  }
  wrong_fix "d" { # ERROR: a demo has disturbances instead; ERROR: Wrong_fix "d" needs the attribute "run".
    says = "x"
  }
}
