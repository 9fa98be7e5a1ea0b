lab "Quote" { # ERROR: The name of a lab consists of
  ttl   = "5m" # ERROR: "ttl" must be from 10m to 72h.
  title = "one # ERROR: This quote is not closed on its line.
}
cluster "kind" "quote-cluster" {
  node "control-plane" {}
  node "worker" { count = 10 }
}
