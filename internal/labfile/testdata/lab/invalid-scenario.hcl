lab "torn" {}
cluster "kind" "torn-cluster" {
  node "control-plane" {}
}
scenario "crashloop" {}
scenario "torn" {} # ERROR: This is no fault of the lab file: torn/scenario.hcl:3,1-2: it is cut short.
