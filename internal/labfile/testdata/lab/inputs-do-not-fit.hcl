lab "inputs" {}
cluster "kind" "inputs-cluster" {
  node "control-plane" {}
}
scenario "imagepull" { # ERROR: With these inputs the scenario is not valid: Invalid image: "not an image" is not an image
  image = "not an image"
}
