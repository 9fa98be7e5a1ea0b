scenario "rollout-stuck" {
  type    = "break"
  title   = "An update that does not come to an end"
  summary = "A Deployment of two pods was well, and was then updated to an image that nobody ever pushed: the new pod never starts, the old ones go on."

  situation  = "The Deployment `rollout-stuck` was well this morning. An hour ago somebody updated it. Its users have noticed nothing, but the update does not come to an end, and `kubectl rollout status` waits."
  goal       = "The Deployment `rollout-stuck` runs again what it ran this morning, with two pods, and no update is under way."
  rules      = ["What ran this morning is on record in the cluster: go back to that, and do not guess.", "The Deployment is not deleted: its users have no other."]
  topic      = "workloads"
  difficulty = "medium"
  minutes    = 15
  after      = ["imagepull"]

  seed {
    manifests = ["manifests/v1.yaml"]
    images    = ["nginx:1.25", "busybox:1.36"]

    step "running" {
      until {
        condition "rolled-out" {
          says  = "the first version runs"
          kind  = "Deployment"
          name  = "rollout-stuck"
          holds = rolled_out(self)
        }
      }
    }
    step "update" {
      replace = ["manifests/v2.yaml"]
    }
  }

  symptom {
    condition "new-pod-stuck" {
      says     = "a new pod cannot get its image"
      kind     = "Pod"
      selector = "app=rollout-stuck"
      match    = "any"
      sticky   = true
      holds = (
        anytrue([for c in self.status.containerStatuses :
          contains(["ErrImagePull", "ImagePullBackOff"], c.state.waiting.reason)
          && regexmatch("not found", try(c.state.waiting.message, ""))])
      )
    }
    condition "old-pods-serve" {
      says  = "two pods of the version before go on"
      kind  = "Deployment"
      name  = "rollout-stuck"
      holds = self.status.availableReplicas == 2 && self.status.updatedReplicas < 2
    }
  }

  solved {
    stable_for = "3s"

    condition "rolled-out" {
      says  = "no update is under way: all pods are of the newest template"
      kind  = "Deployment"
      name  = "rollout-stuck"
      holds = rolled_out(self) && self.status.replicas == 2
    }
    condition "as-before" {
      says = "the template is the one of this morning"
      kind = "Deployment"
      name = "rollout-stuck"
      holds = (
        self.spec.template.spec.containers[0].image == seed["Deployment/rollout-stuck"].spec.template.spec.containers[0].image
        && length(self.spec.template.spec.containers) == 1
        && !can(self.spec.template.spec.containers[0].command)
      )
    }
    condition "pods" {
      says     = "every pod runs it and is Ready"
      kind     = "Pod"
      selector = "app=rollout-stuck"
      holds    = ready(self) && self.spec.containers[0].image == seed["Deployment/rollout-stuck"].spec.template.spec.containers[0].image
    }
    guard "replicas" {
      says  = "the Deployment asks for two pods"
      kind  = "Deployment"
      name  = "rollout-stuck"
      holds = self.spec.replicas == 2
    }
    guard "same-deployment" {
      says  = "it is the Deployment that was there, not a new one"
      kind  = "Deployment"
      name  = "rollout-stuck"
      holds = self.metadata.uid == seeded["Deployment/rollout-stuck"].uid
    }
  }

  hint {
    text = "`kubectl get pods` shows pods of two ages. Whose are they? `kubectl get replicasets` shows one ReplicaSet for each version of the template."
  }
  hint {
    text = "`kubectl rollout history deployment rollout-stuck` lists the versions that are on record; with `--revision=N` it shows one."
  }
  hint {
    text = "There is a command for going back: `kubectl rollout --help`."
  }

  solution {
    says = "The version before is on record as a ReplicaSet: going back makes its template the newest one."
    run  = ["kubectl rollout undo deployment rollout-stuck"]
  }
  right_fix "by-hand" {
    says = "The template that is on record, set by hand, is the same."
    run  = ["kubectl set image deployment rollout-stuck web=nginx:1.25"]
  }

  wrong_fix "another-image" {
    says  = "An image that can be pulled is not the one of this morning."
    run   = ["kubectl set image deployment rollout-stuck web=busybox:1.36"]
    fails = ["as-before"]
  }
  wrong_fix "delete-the-replicaset" {
    says = "The Deployment makes the stuck ReplicaSet again: it goes by its template."
    run = [<<-SH
      kubectl delete $(kubectl get replicasets -l app=rollout-stuck -o jsonpath='{range .items[?(@.spec.template.spec.containers[0].image!="nginx:1.25")]}replicaset/{.metadata.name}{end}')
    SH
    ]
    fails = ["as-before"]
  }
  wrong_fix "pause" {
    says  = "A rollout that is paused is stuck as before, and asks for the same."
    run   = ["kubectl rollout pause deployment rollout-stuck"]
    fails = ["as-before", "rolled-out"]
  }
  wrong_fix "fewer" {
    says  = "With one replica one pod of the old version is left, and the new one is still stuck."
    run   = ["kubectl scale deployment rollout-stuck --replicas=1"]
    fails = ["replicas"]
  }
  wrong_fix "made-anew" {
    says = "A new Deployment has the right image and no history, and nobody served while it was made."
    run = [
      "kubectl delete deployment rollout-stuck",
      "kubectl create deployment rollout-stuck --image=nginx:1.25 --replicas=2",
      "kubectl rollout status deployment rollout-stuck --timeout=60s",
    ]
    fails = ["same-deployment"]
  }
  wrong_fix "restart" {
    says  = "A restart makes a third version, of the same image."
    run   = ["kubectl rollout restart deployment rollout-stuck"]
    fails = ["as-before"]
  }

  debrief = <<-TEXT
    A Deployment keeps each version of its template as a ReplicaSet. An update scales the new one up and the old one down, and with maxUnavailable 0 no old pod goes before a new one is Ready. So a version that never starts takes nothing away: the update waits, and says so only to those who ask.
    `kubectl rollout undo` makes the template of the version before the newest one. Nothing has to be known by heart, and nothing is guessed.
    After progressDeadlineSeconds the condition Progressing turns False. Nothing goes back by itself: that is left to whoever made the update.
  TEXT
}
