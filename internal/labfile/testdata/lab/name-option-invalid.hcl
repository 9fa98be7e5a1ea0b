# OPTIONS: --name ../x
lab "named" {}
cluster "kind" "some-cluster" {
  node "control-plane" {}
}
# ERROR nowhere: Invalid --name
