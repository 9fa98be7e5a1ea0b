scenario "build" {
  type    = "task"
  title   = "T"
  summary = "S"

  situation = "What there is."
  goal      = "What shall be so."
  seed {
    images = ["nginx:1.25"]
  }
  solved {
    condition "x" {
      kind  = "HorizontalPodAutoscaler.v1.autoscaling"
      name  = "x"
      says  = "x"
      holds = true
    }
  }
  solution {
    says = "x"
    run  = ["true"]
  }
  wrong_fix "x" {
    says = "x"
    run  = ["true"]
  }
}
