lab "two" {}
cluster "kind" "two-cluster" {
  node "control-plane" {}
  node "control-plane" {} # ERROR: exactly one control-plane node, and this one has more
}
