lab "none" {}
cluster "kind" "none-cluster" { # ERROR: A cluster has exactly one control-plane node, and this one has none.
  node "worker" { count = 2 }
}
