lab "durations" {
  ttl = "96h" # ERROR: "ttl" must be from 10m to 72h.
}
cluster "kind" "durations-cluster" {
  node "control-plane" {}
}
