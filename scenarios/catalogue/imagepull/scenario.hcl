scenario "imagepull" {
  type    = "break"
  title   = "ImagePullBackOff: the pod that never starts"
  summary = "A pod asks for an image tag that nobody ever pushed. Its container never starts, and the events say why."

  situation = <<-TEXT
    A colleague has put nginx into the cluster, as a bare pod called `imagepull` in the namespace `default`, and has gone home. The API server took the pod and a node was found for it, yet it does not serve: `kubectl get pods` shows it as 0/1, and waiting has not helped. Other pods start as usual.
  TEXT
  goal      = "The pod `imagepull` runs nginx, is Ready and stays so."
  rules = [
    "Repair the pod that is there. Do not delete it and make another one: that would have another UID and another IP address.",
    "It stays nginx. Another program in its place is no repair.",
  ]
  topic      = "pods"
  difficulty = "easy"
  minutes    = 10

  input "image" {
    description = "The image that the pod asks for; it must not exist."
    default     = "nginx:99999"
  }

  seed {
    manifests = ["manifests/pod.yaml"]
    # What the fix and the wrong fixes pull. The broken image is left out: that it is nowhere is the point.
    images = ["nginx:1.25"]
  }

  symptom {
    condition "not-found" {
      says   = "the registry says that the image ${input.image} does not exist"
      kind   = "Pod"
      name   = "imagepull"
      # The two reasons alternate while the kubelet backs off, so either will do; the message keeps
      # rate limits and DNS failures apart, which have the same reasons.
      holds = (
        contains(["ErrImagePull", "ImagePullBackOff"], self.status.containerStatuses[0].state.waiting.reason)
        && regexmatch("not found|does not exist|manifest unknown", self.status.containerStatuses[0].state.waiting.message)
      )
      sticky = true
    }
    condition "never-started" {
      says = "the container has never started"
      kind = "Pod"
      name = "imagepull"
      holds = (
        self.status.phase == "Pending"
        && self.status.containerStatuses[0].restartCount == 0
        && !can(self.status.containerStatuses[0].lastState.terminated)
      )
    }
  }

  solved {
    stable_for = "3s"

    condition "running" {
      says = "the pod runs and is Ready"
      kind = "Pod"
      name = "imagepull"
      holds = (
        self.status.phase == "Running"
        && anytrue([for c in self.status.conditions : c.type == "Ready" && c.status == "True"])
        && alltrue([for c in self.status.containerStatuses : c.ready])
      )
    }
    guard "same-pod" {
      says  = "it is the pod that was broken, not a new one"
      kind  = "Pod"
      name  = "imagepull"
      holds = self.metadata.uid == seeded["Pod/imagepull"].uid
    }
    guard "nginx" {
      says  = "the pod still runs nginx"
      kind  = "Pod"
      name  = "imagepull"
      # Docker's own nginx, in each of its spellings and from where else Docker publishes it.
      holds = regexmatch("^(((index\\.)?docker\\.io|mirror\\.gcr\\.io|public\\.ecr\\.aws/docker)/)?(library/)?nginx(:[^@]+)?(@.+)?$", self.spec.containers[0].image)
    }
    guard "another-image" {
      says  = "the pod asks for another image than ${input.image}"
      kind  = "Pod"
      name  = "imagepull"
      holds = self.spec.containers[0].image != input.image
    }
  }

  # Hints come one at a time, in this order. What fits one wrong turn alone comes before the rest.
  hint {
    text = "This is not the pod that was seeded any more. In an emergency that may be fine; here the exercise is to mend the one you have. `labctl reset imagepull` brings it back."
    when {
      kind  = "Pod"
      name  = "imagepull"
      holds = self.metadata.uid != seeded["Pod/imagepull"].uid
    }
  }
  hint {
    text = "`kubectl get pods` shows that something is wrong, `kubectl describe pod imagepull` says what: read the events at the end, from the first to the last."
  }
  hint {
    text = "The events name the image and what the registry answered. Is there such a tag?"
    when {
      kind  = "Pod"
      name  = "imagepull"
      holds = self.spec.containers[0].image == input.image
    }
  }
  hint {
    text = "A pod's image is one of the few fields that can be changed in place: `kubectl edit pod imagepull`, set the image to nginx:1.25 and save. Nothing has to be deleted."
    when {
      kind  = "Pod"
      name  = "imagepull"
      holds = self.status.phase == "Pending"
    }
  }

  solution {
    says = "The image of a running pod can be changed in place. The kubelet drops its back-off for the new image at once, pulls it and starts the container, in the same pod with the same UID."
    run  = ["kubectl set image pod/imagepull nginx=nginx:1.25"]
  }

  wrong_fix "new-pod" {
    says = "A new pod with a good image runs, but the broken one was thrown away, not mended: another UID, another IP."
    run = [
      "kubectl delete pod imagepull --grace-period=1",
      "kubectl run imagepull --image=nginx:1.25",
      "kubectl wait --for=condition=Ready pod/imagepull --timeout=60s",
    ]
  }
  wrong_fix "another-program" {
    says = "The pod runs, but not nginx: the symptom is gone and so is what the pod was for."
    run  = ["kubectl set image pod/imagepull nginx=registry.k8s.io/pause:3.10"]
  }
  wrong_fix "made-anew" {
    says  = "The same pod, made anew from its own declaration, asks for the same image again."
    run   = ["kubectl get pod imagepull -o yaml | kubectl replace --force --grace-period=1 -f -"]
    fails = ["another-image"]
  }
  wrong_fix "another-typo" {
    says = "Another tag that does not exist fails in the same way."
    run  = ["kubectl set image pod/imagepull nginx=nginx:99998"]
  }

  debrief = <<-TEXT
    The container never started, so there were no logs to read: the answer was in the pod's events.
    ErrImagePull is the failed attempt, ImagePullBackOff the pause until the next one; the two take turns, and the pause grows from 10 seconds to 5 minutes.
    The same two reasons appear when a registry is down or refuses for too many pulls. Only the message tells: "not found" is a wrong name, and waiting will not help.
    Changing the image kept the pod: same UID, same IP, restart count 0.
  TEXT
}
