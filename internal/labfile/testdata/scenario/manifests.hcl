scenario "manifests" {
  type    = "demo"
  title   = "T"
  summary = "S"
  input "name" { default = "x" }
  input "image" { default = "nginx" }
  input "replicas" { default = 1 }
  seed {
    manifests = [ # ERROR: The manifest "manifests/none.yaml" cannot be read: no such file or directory; ERROR: The manifest "../x.yaml" cannot be read: its path must be relative; ERROR: "manifests/pod.yaml" is named twice.
      "manifests/pod.yaml",
      "manifests/pod.yaml",
      "manifests/twice.yaml",
      "manifests/bad-yaml.yaml",
      "manifests/not-an-object.yaml",
      "manifests/bad-template.yaml",
      "manifests/none.yaml",
      "../x.yaml",
    ]
    images = ["nginx:1.25", "Not an image"] # ERROR: "Not an image" is not an image such as nginx:1.25.
  }
  symptom {
    condition "x" {
      kind  = "Pod"
      name  = "x"
      says  = "x"
      holds = true
    }
  }
  disturbance "one" {
    says = "x"
    run  = "true"
  }
  disturbance "two" {
    says = "x"
    run  = "true"
  }
}
