# OPTIONS: --name a-class-of-forty-two-people-in-one-room
lab "named" {}
cluster "kind" "my-good-cluster" {
  node "control-plane" {}
}
# ERROR nowhere: With --name the cluster is called "my-good-cluster-a-class-of-forty-two-people-in-one-room", which has 55 characters; it may have 49. Choose a --name of at most 33.
