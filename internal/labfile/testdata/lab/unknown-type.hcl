lab "kinds" {}
host "ecs" "bench" { region = "eu-west-1" } # ERROR: There is no host of type "ecs". Did you mean "ec2"?
cluster "eks" "kinds-cluster" { # ERROR: There is no cluster of type "eks". There is kind.
  host = host.ecs.bench
  node "control-plane" {}
}
