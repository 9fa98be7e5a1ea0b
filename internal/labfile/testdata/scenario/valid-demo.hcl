scenario "sight" {
  type    = "demo"
  title   = "A sight"
  summary = "Something to see."
  input "image" { default = "nginx:1.25" }
  input "replicas" { default = 2 }
  seed {
    manifests = "manifests/pod.yaml"
  }
  symptom {
    condition "seen" {
      kind      = "Deployment.apps"
      selector  = "app=web"
      namespace = "kube-system"
      says      = "it is there"
      holds     = true
    }
  }
  disturbance "one" {
    says = "One."
    run  = ["true"]
  }
  disturbance "two" {
    says = "Two."
    run  = ["true"]
  }
}
