scenario "first-web" {
  type    = "task"
  title   = "A web server of your own"
  summary = "Run two pods of nginx:1.25 labelled app=first-web under a controller that replaces them, a Service first-web before them, and a namespace first-web for what comes next."

  situation = "The cluster is empty. A web server is wanted that survives the loss of a pod, and a place for what comes next."
  goal      = "Two pods labelled app=first-web run nginx:1.25 behind the Service first-web, something replaces them when they go, and there is a namespace first-web."

  seed {
    images = ["nginx:1.25"]
  }

  solved {
    stable_for = "3s"

    # The Deployment may have any name: only what it makes is asked for.
    condition "pods" {
      says     = "every pod is ready, and a controller stands behind it"
      kind     = "Pod"
      selector = "app=first-web"
      holds = (
        alltrue([for c in self.status.containerStatuses : c.ready])
        && anytrue([for o in self.metadata.ownerReferences : o.kind == "ReplicaSet"])
      )
    }
    condition "service" {
      says  = "the Service has them as its endpoints' source"
      kind  = "Service"
      name  = "first-web"
      holds = self.spec.selector.app == "first-web"
    }
    condition "namespace" {
      says  = "the namespace is there"
      kind  = "Namespace"
      name  = "first-web"
      holds = self.status.phase == "Active"
    }
    guard "dns" {
      says      = "the cluster's DNS is left alone"
      kind      = "Deployment"
      name      = "coredns"
      namespace = "kube-system"
      holds     = self.spec.replicas >= 1
    }
  }

  hint {
    text = "`kubectl create deployment`, `kubectl expose` and `kubectl create namespace` do it."
  }

  solution {
    says = "A Deployment makes the pods again that are lost; the Service finds them by their label."
    run = [
      "kubectl create deployment site --image=nginx:1.25 --replicas=2 --dry-run=client -o yaml | sed 's/app: site/app: first-web/' | kubectl apply -f -",
      "kubectl create service clusterip first-web --tcp=80:80",
      "kubectl create namespace first-web",
    ]
  }

  wrong_fix "bare-pod" {
    says = "It serves, but nobody makes it again when it is lost."
    run = [
      "kubectl run web --image=nginx:1.25 --labels=app=first-web",
      "kubectl create service clusterip first-web --tcp=80:80",
      "kubectl create namespace first-web",
    ]
  }

  debrief = "A Deployment keeps a number of pods alive; a Service finds them by their labels and never by their names."
}
