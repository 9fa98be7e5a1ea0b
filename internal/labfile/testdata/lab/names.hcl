lab "My Lab" {} # ERROR: The name of a lab consists of lowercase letters, digits and hyphens, beginning and ending with a letter or a digit; "My Lab" does not.
host "ec2" "../x" { region = "eu-west-1" } # ERROR: The name of a host consists of
host "ec2" { region = "eu-west-1" } # ERROR: one "host" block
cluster "kind" "a23456789012345678901234567890123456789012345678901" { # ERROR: The name of this cluster has 51 characters; it may have 50.
  host = host.ec2.other # ERROR: No host ec2.other is declared.
  node {} # ERROR: Write it as: node "role" { … }.
  node "control-plane" "x" {} # ERROR: The block "node" has 1 here: role.
}
