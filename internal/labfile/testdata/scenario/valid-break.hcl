scenario "imagepull" {
  type    = "break"
  title   = "An image that does not exist"
  summary = "The pod web asks for ${input.image}."

  situation = <<-TEXT
    The pod web does not start.
  TEXT
  goal       = "The pod web runs, and not with ${input.image}."
  rules      = ["Keep the pod.", " Keep its name. "]
  topic      = "pods"
  difficulty = "easy"
  minutes    = 10
  after      = ["first", "second"]
  disrupts   = ["node", "api", "dns"]

  input "image" {
    description = "The image that cannot be pulled"
    default     = "nginx:99999"
  }
  input "replicas" {
    default = 1
    validation {
      condition     = input.replicas >= 1
      error_message = "at least one replica is needed"
    }
  }

  seed {
    manifests = ["manifests/pod.yaml"]
    images    = [input.image, "nginx:1.25"]
  }

  symptom {
    condition "never-started" {
      kind  = "Pod"
      name  = "web"
      says  = "the container has never started, because its image was not found"
      sticky = true
      holds = (
        self.status.phase == "Pending"
        && anytrue([for s in try(self.status.containerStatuses, []) :
          contains(["ErrImagePull", "ImagePullBackOff"], try(s.state.waiting.reason, "")) && s.restartCount == 0])
      )
      inconclusive_if = anytrue([for s in self.status.containerStatuses :
      regexmatch("toomanyrequests|no such host", try(s.state.waiting.message, ""))])
    }
  }

  solved {
    stable_for = "10s"
    condition "running" {
      kind  = "Pod"
      name  = "web"
      says  = "the pod runs"
      holds = self.status.phase == "Running"
    }
    guard "same-pod" {
      kind     = "Pod"
      selector = "app in (web), env!=test"
      match    = "any"
      says     = "it is the pod that was seeded"
      holds    = self.metadata.uid == seeded["Pod/web"].uid && seed["Pod/web"].spec != null
    }
  }

  hint {
    text = "Look at the events."
  }
  hint {
    text = <<-EOT
      The name is ${input.image}.
    EOT
    when {
      kind  = "Pod"
      name  = "web"
      holds = try(self.status.phase, "") == "Pending"
    }
  }

  solution {
    says = "The image exists."
    run  = ["kubectl set image pod/web app=nginx:1.25"]
  }
  wrong_fix "restart" {
    says = "The same image is asked for again."
    run  = ["kubectl replace --force -f - <<< $${X}", "true"]
  }
  debrief = "A tag is not checked before a node pulls it."
}
