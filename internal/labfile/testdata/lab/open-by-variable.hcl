# OPTIONS: --var from=0.0.0.0/0
lab "open-by-variable" {}
variable "from" { default = "203.0.113.7/32" }

host "ec2" "bench" {
  region   = "ap-south-2"
  ssh_from = [var.from, "2001:db8::/32"] # ERROR: So much must stand here as it is, not come from a variable.
}

cluster "kind" "open-cluster" {
  host = host.ec2.bench
  node "control-plane" {}
}
