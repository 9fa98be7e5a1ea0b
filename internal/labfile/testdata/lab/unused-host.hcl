lab "unused" {}
host "ec2" "bench" { region = "eu-west-1" } # ERROR: No cluster runs on this host. Write host = host.ec2.bench in the cluster block.
cluster "kind" "unused-cluster" {
  node "control-plane" {}
}
