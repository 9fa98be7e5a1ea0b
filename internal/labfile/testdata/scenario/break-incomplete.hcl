scenario "incomplete" { # ERROR: A scenario of type "break" needs a block "seed".; ERROR: needs a block "symptom"; ERROR: needs a block "solution"
  type    = "break"
  title   = "T"
  summary = "S"

  situation = "What there is."
  goal      = "What shall be so."
  solved {} # ERROR: The solved block needs at least one block "condition".
  disturbance "x" { # ERROR: A scenario of type "break" has no block "disturbance": only a demo is disturbed
    says = "x"
    run  = "true"
  }
}
