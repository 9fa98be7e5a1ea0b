lab "unclosed" { # ERROR: Unclosed configuration block
  title = "x"

cluster "kind" "unclosed-cluster" {
  node "control-plane" {}
}
