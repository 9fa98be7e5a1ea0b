scenario "first-pod" {
  type    = "task"
  title   = "Your first pod"
  summary = "A pod with a name, an image and a label is written and applied; it runs with an address of its own."

  situation  = "Nothing runs in the namespace `default` yet that is yours."
  goal       = "A pod `nginx` runs the image `nginx:1.25`, carries the label `env=production`, is Ready and has a pod IP of its own."
  rules      = ["It is a pod that you write yourself, not one that something else makes for you."]
  topic      = "pods"
  difficulty = "easy"
  minutes    = 10

  seed {
    images = ["nginx:1.25"]
  }

  # Somebody begins with a Deployment.
  clear {
    kind = "Deployment"
    name = "nginx"
  }

  probe "page" {
    pod     = "env=production"
    run     = "grep -qi ':0050 ' /proc/net/tcp /proc/net/tcp6"
    control = "test -r /proc/net/tcp"
  }

  solved {
    stable_for = "3s"

    condition "runs" {
      says = "the pod nginx runs and is Ready"
      kind = "Pod"
      name = "nginx"
      holds = (
        self.status.phase == "Running"
        && alltrue([for c in self.status.containerStatuses : c.ready])
      )
    }
    condition "label" {
      says  = "it carries the label env=production"
      kind  = "Pod"
      name  = "nginx"
      holds = self.metadata.labels.env == "production"
    }
    condition "image" {
      says = "it runs nginx:1.25"
      kind = "Pod"
      name = "nginx"
      # nginx:1.25 in each of its spellings.
      holds = anytrue([for c in self.spec.containers :
      regexmatch("^((index\\.)?docker\\.io/)?(library/)?nginx:1\\.25(@sha256:[0-9a-f]{64})?$", c.image)])
    }
    condition "own-address" {
      says  = "it has an address of its own, and not its node's"
      kind  = "Pod"
      name  = "nginx"
      holds = length(self.status.podIP) > 0 && self.status.podIP != self.status.hostIP
    }
    guard "listens" {
      says  = "nginx listens in it on port 80"
      holds = probe.page.exit == 0
    }
    guard "your-own" {
      says  = "it is a bare pod: nothing else has made it"
      kind  = "Pod"
      name  = "nginx"
      holds = length(self.metadata.name) > 0 && self.spec.restartPolicy == "Always" && length(try(self.metadata.ownerReferences, [])) == 0
    }
  }

  hint {
    text = "Every object has four parts: apiVersion, kind, metadata and spec. `kubectl explain pod.spec.containers` says what a container needs."
  }
  hint {
    text = "`kubectl run NAME --image=IMAGE --dry-run=client -o yaml` prints a manifest to begin with. Labels stand in `metadata`."
  }
  hint {
    text = "The pod is there and lacks the label: `kubectl label pod nginx KEY=VALUE` adds one to what runs; in a manifest it stands under `metadata.labels`."
    when {
      kind  = "Pod"
      name  = "nginx"
      holds = length(self.metadata.name) > 0 && !can(self.metadata.labels.env)
    }
  }

  solution {
    says = "A pod needs a name, a label and one container with a name and an image."
    run = [
      <<-SH
        kubectl apply -f - <<'EOF'
        apiVersion: v1
        kind: Pod
        metadata:
          name: nginx
          labels:
            env: production
        spec:
          containers:
            - name: nginx
              image: nginx:1.25
        EOF
      SH
    ]
  }
  right_fix "one-command" {
    says = "kubectl run writes the same pod."
    run  = ["kubectl run nginx --image=docker.io/library/nginx:1.25 --labels=env=production,tier=web --port=80"]
  }
  right_fix "labelled-later" {
    says = "A label can be added to a pod that runs."
    run  = ["kubectl run nginx --image=nginx:1.25", "kubectl label pod nginx env=production"]
  }

  wrong_fix "no-label" {
    says = "The pod runs, and lacks the label: kubectl run gives it run=nginx."
    run  = ["kubectl run nginx --image=nginx:1.25"]
  }
  wrong_fix "a-deployment" {
    says = "A Deployment makes pods with names of its own; none is called nginx."
    run = [
      "kubectl create deployment nginx --image=nginx:1.25",
      "kubectl label deployment nginx env=production",
    ]
  }
  wrong_fix "an-annotation" {
    says = "Annotations are not labels: no selector finds them."
    run  = ["kubectl run nginx --image=nginx:1.25 --annotations=env=production"]
  }
  wrong_fix "the-nodes-address" {
    says = "With hostNetwork the pod has the address of its node."
    run  = [<<-SH
      kubectl run nginx --image=nginx:1.25 --labels=env=production --overrides='{"spec":{"hostNetwork":true}}'
    SH
    ]
  }
  wrong_fix "another-program" {
    says = "The image is right, but what runs in it is not nginx."
    run  = ["kubectl run nginx --image=nginx:1.25 --labels=env=production --command -- sleep 86400"]
  }

  debrief = <<-TEXT
    A pod is the smallest thing that Kubernetes runs: a name, labels, and containers that share one IP address. The address is the pod's own, out of its node's range (`kubectl get pod nginx -o wide`), and not the node's.
    Labels are how everything else finds a pod: Services, ReplicaSets and `kubectl get pods -l env=production` never go by names.
    Nobody looks after a bare pod: one that is deleted stays gone, and one whose node is lost does, too.
  TEXT
}
