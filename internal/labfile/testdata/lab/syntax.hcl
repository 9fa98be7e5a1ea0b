lab "syntax" {
  ttl   = "5m" # ERROR: "ttl" must be from 10m to 72h.
  title = one two # ERROR: Missing newline after argument; ERROR: There is nothing called "one" here
}
variable "x" { default = } # ERROR: Invalid expression
# A comment between.
host "ec2" "bench" { # ERROR: Unclosed configuration block
  region = "nowhere" # ERROR: "nowhere" is not an AWS region

cluster "kind" "Syntax" { # ERROR: The name of a cluster consists of
  kubernetes = "35" # ERROR: is a Kubernetes version such as
  node "control-plane" {}
}
