lab "own" {}

variable "label" { default = "production" }

cluster "kind" "own-cluster" {
  node "control-plane" {}
}

scenario "my-pod" {
  type    = "task"
  title   = "A pod of your own"
  summary = "Build a pod called ${input.name}."

  situation = "What there is."
  goal      = "What shall be so."

  input "name" { default = "web" }
  input "label" { default = var.label }

  solved {
    condition "labelled" {
      kind  = "Pod"
      name  = input.name
      says  = "the pod carries the label"
      holds = try(self.metadata.labels.env, "") == input.label
    }
  }
  solution {
    says = "A pod with the label."
    run  = ["kubectl run ${input.name} --image=nginx:1.25 --labels=env=${input.label}"]
  }
  wrong_fix "no-label" {
    says = "A pod without the label."
    run  = ["kubectl run ${input.name} --image=nginx:1.25"]
  }
}
