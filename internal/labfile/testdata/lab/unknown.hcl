labb "extra" {} # ERROR: A lab file has no block "labb". Did you mean "lab"?
title = "x" # ERROR: A lab file has no attribute "title".

lab "unknown" {
  tilte = "x" # ERROR: The lab block has no attribute "tilte". Did you mean "title"?
  ttl { # ERROR: "ttl" is an attribute: write ttl = … .
  }
}

host "ec2" "bench" {
  regoin = "eu-west-1" # ERROR: Host "bench" has no attribute "regoin". Did you mean "region"?
  region = "eu-west-1"
}

cluster "kind" "unknown-cluster" {
  host    = host.ec2.bench
  nod "worker" {} # ERROR: Cluster "unknown-cluster" has no block "nod". Did you mean "node"?
  kubelet = {} # ERROR: "kubelet" is a block: write kubelet { … } without an equals sign.
  node "control-plane" {
    coutn = 1 # ERROR: Node "control-plane" has no attribute "coutn". Did you mean "count"?
  }
  node "wroker" {} # ERROR: A node is a control-plane or worker, not "wroker". Did you mean "worker"?
}

scenario "imagepul" {} # ERROR: The catalogue has no scenario "imagepul". Did you mean "imagepull"?
scenario "crashloop" {
  imag = "x" # ERROR: Scenario "crashloop" has no input "imag". It has none.
  seed {} # ERROR: only its inputs can be set
}
scenario "imagepull" {
  imag = "x" # ERROR: Scenario "imagepull" has no input "imag". Did you mean "image"?
}
scenario "own" { # ERROR: To define it here, give it a type
  seed {}
}
