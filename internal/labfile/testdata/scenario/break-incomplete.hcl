scenario "incomplete" { # ERROR: A scenario of kind "break" needs a block "seed".; ERROR: needs a block "symptom"; ERROR: needs a block "solution"; ERROR: needs a block "decoy"
  kind    = "break"
  title   = "T"
  summary = "S"
  solved {} # ERROR: The solved block needs at least one block "condition".
  disturbance "x" { # ERROR: A scenario of kind "break" has no block "disturbance": only a demo is disturbed
    says = "x"
    run  = "true"
  }
}
