scenario "renamed" { # ERROR: needs the attribute "title"; ERROR: needs the attribute "summary"
  kind = "break" # ERROR: "kind" is now called "type".
  decoy "x" {} # ERROR: "decoy" is now called "wrong_fix".
  solved {
    hold = "3s" # ERROR: "hold" is now called "stable_for".
    condition "a" {
      says   = "a"
      kind   = "Pod"
      name   = "a"
      holds  = self.status.phase == "Running"
      latch  = true # ERROR: "latch" is now called "sticky".
      unless = false # ERROR: "unless" is now called "inconclusive_if".
    }
  }
}
