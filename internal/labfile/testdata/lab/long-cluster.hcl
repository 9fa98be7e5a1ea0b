lab "long" {}
cluster "kind" "a2345678901234567890123456789012345678901234567890" { # ERROR: The name of this cluster has 50 characters; it may have 49
  node "control-plane" {}
}
