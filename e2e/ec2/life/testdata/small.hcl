# The smallest lab on AWS: one node and nothing broken on it. It is up for so short a time that
# status warns of its end from the beginning.
lab "small" {
  ttl = "25m"
}

host "ec2" "tiny" {
  region        = "ap-south-2"
  instance_type = ["t3.large"]
  image         = "debian-12"
  disk_gib      = 20
}

cluster "kind" "e2e-small" {
  host       = host.ec2.tiny
  kubernetes = "1.35"

  node "control-plane" {}
}

scenario "imagepull" {}
