scenario "pod-security-refused" {
  type    = "break"
  title   = "A pod that is not let in"
  summary = "The namespace enforces the restricted pod security standard, and the Deployment's pod asks for privileges: the pod is refused before it exists."

  situation  = "A shop was moved into the namespace `pod-security-refused`. The Deployment `shop` was accepted, and nothing happens: it has no pod at all, not even one that fails. Nobody remembers why the shop was given more rights than others; it only prints a line and waits."
  goal       = "The Deployment `shop` has its pod in the namespace `pod-security-refused`, and the pod runs and stays up."
  rules      = ["What the namespace demands of pods is not up for discussion: it stays as it is.", "The shop stays in its namespace, with the same image and command."]
  topic      = "access"
  difficulty = "medium"
  minutes    = 20
  after      = ["first-pod"]

  seed {
    manifests = ["manifests/shop.yaml"]
    images    = ["busybox:1.36"]
  }

  # Somebody takes the shop elsewhere.
  clear {
    kind = "Deployment"
    name = "pod-security-refused-2"
  }

  symptom {
    condition "refused" {
      says      = "its pod is refused by the namespace's pod security"
      kind      = "Deployment"
      namespace = "pod-security-refused"
      name      = "shop"
      holds = (
        anytrue([for c in self.status.conditions : c.type == "ReplicaFailure" && c.status == "True" && strcontains(c.message, "violates PodSecurity")])
        && try(self.status.replicas, 0) == 0
      )
    }
  }

  solved {
    # The program ends at once where it cannot run.
    stable_for = "3s"

    condition "runs" {
      says      = "the shop's pod runs and is Ready"
      kind      = "Pod"
      namespace = "pod-security-refused"
      selector  = "app=shop"
      holds     = ready(self)
    }
    condition "rolled-out" {
      says      = "the Deployment has all the pods that it asks for, made from its newest template"
      kind      = "Deployment"
      namespace = "pod-security-refused"
      name      = "shop"
      holds     = rolled_out(self)
    }
    attempt "door" {
      says     = "a pod that may run as root would still be refused in the namespace"
      refused  = ["manifests/root.yaml"]
      because  = "violates PodSecurity \"restricted:"
      admitted = ["manifests/modest.yaml"]
    }
    guard "as-strict" {
      says  = "the namespace enforces the restricted standard, as before"
      kind  = "Namespace"
      name  = "pod-security-refused"
      holds = self.metadata.labels["pod-security.kubernetes.io/enforce"] == "restricted" && !can(self.metadata.labels["pod-security.kubernetes.io/enforce-version"])
    }
    guard "same-shop" {
      says      = "the Deployment asks for at least one pod, with the same image and command"
      kind      = "Deployment"
      namespace = "pod-security-refused"
      name      = "shop"
      holds = (
        self.spec.replicas >= 1
        && jsonencode(self.spec.template.spec.containers[0].command) == jsonencode(seed["Deployment/shop"].spec.template.spec.containers[0].command)
        && regexmatch("^((index\\.)?docker\\.io/)?(library/)?busybox:1\\.36(@sha256:[0-9a-f]{64})?$", self.spec.template.spec.containers[0].image)
      )
    }
  }

  hint {
    text = "There is no pod to describe, so ask who should have made it: Deployment, ReplicaSet, pod. `kubectl describe replicaset -n pod-security-refused`, at the end."
  }
  hint {
    text = "The message names what is missing, one thing after the other, and for each where it belongs: the pod or the container. `kubectl explain pod.spec.containers.securityContext`."
  }
  hint {
    text = "runAsNonRoot only refuses to start as root; the image does not say another user. `runAsUser` does."
    when {
      kind      = "Deployment"
      namespace = "pod-security-refused"
      name      = "shop"
      holds     = try(self.spec.template.spec.securityContext.runAsNonRoot, self.spec.template.spec.containers[0].securityContext.runAsNonRoot)
    }
  }

  solution {
    says = "The shop needs no privileges: it asks for none, gives up those that a container has by default, and runs as a user that is not root."
    run = [<<-SH
      kubectl patch deployment shop -n pod-security-refused --type=json --patch '[{"op": "replace", "path": "/spec/template/spec/containers/0/securityContext", "value":
        {"allowPrivilegeEscalation": false, "runAsNonRoot": true, "runAsUser": 65534, "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}}}]'
    SH
    ]
  }
  right_fix "on-the-pod" {
    says = "What is the same for all containers may stand at the pod."
    run = [<<-SH
      kubectl patch deployment shop -n pod-security-refused --type=json --patch '[
        {"op": "add", "path": "/spec/template/spec/securityContext", "value": {"runAsNonRoot": true, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}},
        {"op": "replace", "path": "/spec/template/spec/containers/0/securityContext", "value": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}]'
    SH
    ]
  }

  wrong_fix "loosen-the-namespace" {
    says = "The pod is let in, and so is any other."
    run = [
      "kubectl label namespace pod-security-refused pod-security.kubernetes.io/enforce=privileged --overwrite",
      "kubectl rollout restart deployment shop -n pod-security-refused",
      "kubectl rollout status deployment shop -n pod-security-refused --timeout=60s",
    ]
    fails = ["as-strict", "door"]
  }
  wrong_fix "not-privileged" {
    says = "Without privileges it is still refused: the standard also asks for what a container has by default."
    run = [<<-SH
      kubectl patch deployment shop -n pod-security-refused --type=json --patch '[{"op": "remove", "path": "/spec/template/spec/containers/0/securityContext"}]'
    SH
    ]
    fails = ["runs"]
  }
  wrong_fix "no-user" {
    says = "It is let in and cannot start: the image runs as root, which runAsNonRoot forbids."
    run = [<<-SH
      kubectl patch deployment shop -n pod-security-refused --type=json --patch '[{"op": "replace", "path": "/spec/template/spec/containers/0/securityContext", "value":
        {"allowPrivilegeEscalation": false, "runAsNonRoot": true, "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}}}]'
    SH
    ]
    fails = ["runs"]
  }
  wrong_fix "another-shop" {
    says = "It is let in and runs, and is not the shop any more: it only waits."
    run = [
      <<-SH
        kubectl patch deployment shop -n pod-security-refused --type=json --patch '[{"op": "replace", "path": "/spec/template/spec/containers/0/command", "value": ["sleep", "86400"]},
          {"op": "replace", "path": "/spec/template/spec/containers/0/securityContext", "value":
          {"allowPrivilegeEscalation": false, "runAsNonRoot": true, "runAsUser": 65534, "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}}}]'
      SH
      , "kubectl rollout status deployment shop -n pod-security-refused --timeout=60s",
    ]
    fails = ["same-shop"]
  }
  wrong_fix "elsewhere" {
    says = "In another namespace nobody asks, and nobody looks for the shop there."
    run  = ["kubectl create deployment pod-security-refused-2 --image=busybox:1.36 -- sleep 86400"]
    fails = ["runs"]
  }

  debrief = <<-TEXT
    A Deployment makes a ReplicaSet, and that makes pods. The pod was refused by admission, at the door of the API server: it never existed, so there was nothing to describe. The one who asked for it was told, and keeps it: the ReplicaSet's events, and the Deployment's condition ReplicaFailure.
    Pod security knows three standards: privileged, baseline and restricted. A namespace enforces one by a label. restricted asks a pod to give up what containers have by default: capabilities, privilege escalation, running as root, system calls without a filter.
    `enforce` refuses, `warn` only tells whoever applies. kubectl warns for Deployments too, which are let in whatever their template says.
  TEXT
}
