lab "inputs" {}
cluster "kind" "inputs-cluster" {
  node "control-plane" {}
}
variable "replicas" { default = 0 }
scenario "imagepull" {
  replicas = var.replicas # ERROR: The input "replicas": at least one replica is needed
}
