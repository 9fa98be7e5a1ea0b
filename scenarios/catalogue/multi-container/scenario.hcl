scenario "multi-container" {
  type    = "demo"
  title   = "Two containers in one pod"
  summary = "nginx and a sidecar share one IP address, one localhost and one volume: the sidecar writes the page, nginx serves it, and each proves the other by its readiness probe."

  situation  = <<-TEXT
    The pod `multi-container` has two containers: nginx, and a sidecar that writes the page which nginx serves. Nothing is broken here.
  TEXT
  goal       = "See for yourself what the two containers share, and what each has for itself: the IP address, localhost, the ports, the files."
  topic      = "pods"
  difficulty = "easy"
  minutes    = 10

  seed {
    manifests = ["manifests/pod.yaml"]
    images    = ["nginx:1.25", "busybox:1.36"]
  }

  symptom {
    condition "both-ready" {
      says = "both containers are ready (2/2): nginx serves the sidecar's page, and the sidecar reaches nginx on localhost"
      kind = "Pod"
      name = "multi-container"
      holds = (
        self.status.phase == "Running"
        && length(self.status.containerStatuses[*].name) == 2
        && alltrue([for c in self.status.containerStatuses : c.ready])
      )
    }
    condition "one-address" {
      says  = "the pod has one IP address for both"
      kind  = "Pod"
      name  = "multi-container"
      holds = length(self.status.podIP) > 0 && !try(self.spec.hostNetwork, false)
    }
    condition "one-volume" {
      says = "both containers mount the same volume"
      kind = "Pod"
      name = "multi-container"
      holds = alltrue([for c in self.spec.containers : anytrue([for m in c.volumeMounts : m.name == "page"])])
    }
  }

  hint {
    text = "`kubectl exec multi-container -c sidecar -- wget -qO- http://localhost` asks nginx from the other container."
  }
  hint {
    text = "`kubectl exec multi-container -c nginx -- cat /usr/share/nginx/html/index.html` shows, in one container, the file that the other wrote."
  }

  disturbance "page-gone" {
    says = "With a directory in the place of the page, nginx has nothing to serve and the sidecar finds no text: neither is ready."
    run  = ["kubectl exec multi-container -c sidecar -- sh -c 'until mkdir /page/index.html 2>/dev/null; do rm -f /page/index.html; done'"]
  }
  disturbance "sidecar-replaced" {
    says = "Without the sidecar's program nobody writes the page: 1/2."
    run  = ["kubectl set image pod/multi-container sidecar=registry.k8s.io/pause:3.10"]
  }
  disturbance "pod-deleted" {
    says = "A bare pod that is deleted stays gone: nobody makes it again."
    run  = ["kubectl delete pod multi-container"]
  }

  debrief = <<-TEXT
    A pod is the unit that has an IP address; its containers share it. So the sidecar reaches nginx as localhost, and two containers of a pod cannot both listen on port 80.
    They do not share a file system. What they share, they share through a volume that both mount; an emptyDir lives as long as the pod.
    A bare pod that is deleted stays gone, because nobody looks after it.
    2/2 counts ready containers. One that is not ready takes the whole pod out of its Services.
  TEXT
}
