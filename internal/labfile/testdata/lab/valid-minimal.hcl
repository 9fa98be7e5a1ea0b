lab "small" {}

cluster "kind" "small-cluster" {
  node "control-plane" {}
}
