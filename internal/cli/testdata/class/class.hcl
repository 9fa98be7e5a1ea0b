# The lab of the tests of what a learner sees: those quote its words, and nothing else does.
lab "class" {}

cluster "kind" "c" {
  node "control-plane" {}
}

scenario "wrong-tag" {
  type    = "break"
  title   = "A pod that does not start"
  summary = "The image of the pod wrong-tag cannot be pulled."

  situation  = "A pod called `wrong-tag` was made, and does not start."
  goal       = "The pod `wrong-tag` runs."
  rules      = ["Keep the pod."]
  topic      = "pods"
  difficulty = "easy"
  minutes    = 5
  after      = ["running", "elsewhere"]

  input "image" {
    default = "nginx:99999"
  }

  seed {
    manifests = ["wrong-tag.yaml"]
  }

  symptom {
    condition "not-found" {
      says  = "there is no image ${input.image}"
      kind  = "Pod"
      name  = "wrong-tag"
      holds = regexmatch("not found", self.status.containerStatuses[0].state.waiting.message)
      sticky = true
    }
    condition "pending" {
      says  = "the pod is pending"
      kind  = "Pod"
      name  = "wrong-tag"
      holds = self.status.phase == "Pending"
    }
  }

  solved {
    stable_for = "3s"
    condition "running" {
      says  = "the pod runs"
      kind  = "Pod"
      name  = "wrong-tag"
      holds = self.status.phase == "Running" && self.status.containerStatuses[0].ready
    }
    guard "same-pod" {
      says  = "the pod is the seeded one"
      kind  = "Pod"
      name  = "wrong-tag"
      holds = self.metadata.uid == seeded["Pod/wrong-tag"].uid
    }
    # Shown only when it fails and the symptom is gone.
    guard "another-image" {
      says  = "the image is another one"
      kind  = "Pod"
      name  = "wrong-tag"
      holds = self.spec.containers[0].image != input.image
    }
  }

  # The first fits none of the moments that the tests play.
  hint {
    text = "Hint for another pod."
    when {
      kind  = "Pod"
      name  = "wrong-tag"
      holds = self.metadata.uid != seeded["Pod/wrong-tag"].uid
    }
  }
  hint {
    text = "Hint where to look."
  }
  hint {
    text = "Hint what is wrong."
    when {
      kind  = "Pod"
      name  = "wrong-tag"
      holds = self.spec.containers[0].image == input.image
    }
  }
  hint {
    text = "Hint what to do."
    when {
      kind  = "Pod"
      name  = "wrong-tag"
      holds = self.status.phase == "Pending"
    }
  }

  solution {
    says = "Another image is pulled."
    run  = ["kubectl set image pod/wrong-tag nginx=nginx:1.25"]
  }
  wrong_fix "another-typo" {
    says = "Another tag that does not exist fails in the same way."
    run  = ["kubectl set image pod/wrong-tag nginx=nginx:99998"]
  }

  debrief = "What was to be learned."
}

scenario "running" {
  type    = "demo"
  title   = "A pod that runs"
  summary = "The pod running runs."

  seed {
    manifests = ["running.yaml"]
  }
  symptom {
    condition "running" {
      says  = "the pod runs"
      kind  = "Pod"
      name  = "running"
      holds = self.status.phase == "Running"
    }
  }
  disturbance "deleted" {
    says = "There is no pod."
    run  = ["kubectl delete pod running"]
  }
  disturbance "wrong-image" {
    says = "There is no such image."
    run  = ["kubectl set image pod/running nginx=nginx:99999"]
  }
}
