lab "three" {}
cluster "kind" "three-cluster" {
  node "control-plane" { count = 3 } # ERROR: A cluster has exactly one control-plane node, and this one has more.
  node "worker" { count = 8 }
  node "worker" { count = 2 } # ERROR: A cluster has at most 9 workers.
}
