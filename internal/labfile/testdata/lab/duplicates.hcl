lab "duplicates" {}
lab "another" {} # ERROR: A lab file has one "lab" block; the first is on line 1.

variable "x" { default = 1 }
variable "x" { default = 2 } # ERROR: The variable "x" is already declared on line 4.

host "ec2" "a" { region = "eu-west-1" }
host "ec2" "b" { region = "eu-west-1" } # ERROR: A lab file has one "host" block; the first is on line 7.

cluster "kind" "one" {
  host = host.ec2.a
  node "control-plane" {}
  kubelet {}
  kubelet {} # ERROR: one "kubelet" block
}
cluster "kind" "two" {} # ERROR: A lab file has one "cluster" block; the first is on line 10.

scenario "crashloop" {}
scenario "crashloop" {} # ERROR: The scenario "crashloop" is already in this lab, on line 18.
