# Day 10: pods, and the ways they fail first.
#
#   labctl up day10.hcl --local    on this machine's own Docker
#   labctl up day10.hcl            on an EC2 host of your own
#   labctl down day10              and everything is gone again
#
# A copy of this file in your folder wins over the one inside labctl: change it as you like.

lab "day10" {
  title = "Pods, and the ways they fail first"

  # After this time the EC2 host powers itself off and is terminated, whatever happens.
  ttl = "4h"
}

# Another region, for one run:   labctl up day10.hcl --var region=eu-central-1
# or for the whole class:        export LABCTL_VAR_region=eu-central-1
variable "region" {
  description = "The AWS region that the host is rented in"
  default     = "ap-south-2"
}

# The machine that the cluster runs on. With --local it is left out.
host "ec2" "bench" {
  region        = var.region
  instance_type = ["t3.large", "t3a.large"] # in this order, when AWS has no capacity
  image         = "debian-12"
  disk_gib      = 30
  max_price     = 0.12 # US dollars per hour; labctl refuses to pay more
}

# Three nodes: my-cluster-control-plane, my-cluster-worker and my-cluster-worker2. Each is a
# container on the host, so that `docker exec my-cluster-worker2 ip route` looks inside one.
cluster "kind" "my-cluster" {
  host       = host.ec2.bench
  kubernetes = "1.35"

  node "control-plane" {}
  node "worker" { count = 2 }
}

# A pod whose image does not exist. Its container never starts; the events say why.
scenario "imagepull" {}

# An app that starts and dies, again and again. `kubectl logs --previous` shows its last words.
scenario "crashloop" {}

# Nothing is broken here: two containers of one pod share an address, localhost and a volume.
scenario "multi-container" {}
