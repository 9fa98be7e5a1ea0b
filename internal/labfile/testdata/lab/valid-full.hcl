# OPTIONS: --var region=eu-central-1 --var workers=2 --var zones=["a","b"]
lab "full-lab" {
  title = "Everything on ${var.region}"
  ttl   = "90m"
}

variable "region" {
  description = "where"
  type        = string
}
variable "workers" { default = 3 }
variable "zones" { type = list(string) }
variable "greeting" { default = "hello from ${var.region}" }
variable "chain" { default = upper(var.greeting) }

host "ec2" "bench" {
  region        = var.region
  instance_type = "t3.large"
  image         = "ami-0123456789abcdef0"
  disk_gib      = 40
  max_price     = 0.5
  ssh_from      = ["203.0.113.7/32", "2001:db8::/32"]
}

cluster "kind" "full-cluster" {
  host       = host.ec2.bench
  kubernetes = "1.35.4"
  image      = "kindest/node:v1.35.4@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  api_port   = 6443

  node "control-plane" {}
  node "worker" {
    count  = var.workers
    labels = { zone = var.zones[0], "topology.kubernetes.io/zone" = "a" }
  }
  node "worker" {
    labels = { zone = var.zones[1] }
  }

  kubelet {
    maxPods          = 50
    imageGCHighThresholdPercent = 90.5
    crashLoopBackOff = { maxContainerRestartPeriod = "30s" }
    featureGates     = { KubeletCrashLoopBackOffMax = true }
    allowedUnsafeSysctls = ["net.core.somaxconn"]
  }
}

scenario "imagepull" {
  image    = "nginx:doesnotexist-${lower(var.region)}"
  replicas = "2"
}
