lab "format" {
	title = 1 + true
  ttl   = "${var.nubmer}h"
}

variable "number" { default = 4 }

host "ec2" "bench" {
  regoin = "ap-south-2"
}

cluster "kind" "format-cluster" {
  host = host.ec2.bench
  node "control-plane" { count = 3 }
}

scenario "imagepul" {} # the name of this one is not in the catalogue, and the line is longer than the terminal
