lab "types" {
  title = ["a"] # ERROR: "title" must be a text, and this is a list.
  ttl   = "4 hours" # ERROR: "ttl" must be a time such as "30s", "90m" or "4h"; "4 hours" is not one.
}

host "ec2" "bench" {
  region        = "Frankfurt" # ERROR: "Frankfurt" is not an AWS region
  instance_type = ["t3.large", "big", "t3.large"] # ERROR: "big" is not an instance type; ERROR: "t3.large" is named twice
  image         = "debian-11" # ERROR: "debian-11" is none of them. Did you mean "debian-12"?
  disk_gib      = 4 # ERROR: "disk_gib" must be a whole number from 16 to 1024.
  max_price     = -1 # ERROR: "max_price" must be more than 0
  ssh_from      = ["203.0.113.7", "10.0.0.1/8", "home"] # ERROR: write 203.0.113.7/32; ERROR: Write 10.0.0.0/8; ERROR: "home" is not a network
}

cluster "kind" "types-cluster" {
  host       = "bench" # ERROR: The attribute "host" refers to a host block: host.ec2.NAME.
  kubernetes = 1.35 # ERROR: Put the version in quotes
  image      = "kindest node" # ERROR: "kindest node" is not an image
  api_port   = 65536 # ERROR: "api_port" must be a whole number from 0 to 65535.

  node "control-plane" {
    count = "one" # ERROR: "count" must be a number, and this is a text.
  }
  node "worker" {
    count  = 1.5 # ERROR: "count" must be a whole number from 0 to 1000.
    labels = { "bad key" = "x", a = "b c", "node-role.kubernetes.io/worker" = "", "labctl/x" = "y" } # ERROR: "bad key" cannot be a label; ERROR: "b c" cannot be the value; ERROR: The kubelet does not start with the label "node-role.kubernetes.io/worker"; ERROR: one of labctl's own
  }
  kubelet {
    kind    = "x" # ERROR: "kind" is set by labctl.
    maxPods = null # ERROR: "maxPods" is null.
    crashLoopBackOff { # ERROR: Kubelet settings are attributes: write crashLoopBackOff = { … }.
    }
  }
}

scenario "imagepull" {
  image    = null # ERROR: "image" is null.
  replicas = "many" # ERROR: The input "replicas" of scenario "imagepull" must be a number, and this is a text.
}
