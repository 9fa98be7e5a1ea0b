lab "cycle" {
  title = var.a
}
variable "a" { default = "a${var.b}" } # ERROR: in a circle: a refers to b on line 4, b refers to c on line 5, c refers to a on line 6.
variable "b" { default = var.c } # ERROR: Cyclic reference
variable "c" { default = "${var.a}" } # ERROR: Cyclic reference
variable "self" { default = [var.self] } # ERROR: self refers to self on line 7.
variable "after" { default = var.a }
cluster "kind" "cycle-cluster" {
  node "control-plane" {}
}
