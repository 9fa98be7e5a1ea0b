scenario "service-selector" {
  type    = "break"
  title   = "A Service that nobody stands behind"
  summary = "Two pods of a shop run and are Ready, but the Service's selector asks for a label that they do not have, so it has no endpoints."

  situation  = "A shop runs as the Deployment `service-selector`, with two pods, both Ready. Others are to reach it as the Service `service-selector`, and whoever tries is turned away at once."
  goal       = "The Service `service-selector` leads to the pods of the Deployment `service-selector`, and a client in the cluster gets the shop's page."
  rules      = ["The shop stays a Deployment with at least one pod, under the same name.", "Clients go on asking for the same name and port 80."]
  topic      = "services"
  difficulty = "easy"
  minutes    = 15
  after      = ["first-pod"]

  seed {
    manifests = ["manifests/shop.yaml"]
    images    = ["nginx:1.25", "busybox:1.36"]
  }

  clear {
    kind = "Service"
    name = "service-selector-2"
  }
  clear {
    kind = "Pod"
    name = "service-selector-other"
  }

  # From a pod of nobody's, as any client would be.
  probe "client" {
    image   = "busybox:1.36"
    run     = "timeout 3 wget -qO- http://service-selector.default"
    control = "nslookup service-selector.default.svc.cluster.local"
  }

  symptom {
    condition "pods-ready" {
      says     = "the pods are Ready"
      kind     = "Pod"
      selector = "app=service-selector"
      holds    = alltrue([for c in self.status.containerStatuses : c.ready])
    }
    condition "no-endpoints" {
      says     = "the Service has no endpoints"
      kind     = "EndpointSlice"
      selector = "kubernetes.io/service-name=service-selector"
      holds    = self.addressType == "IPv4" && !can(self.endpoints[0])
    }
    condition "refused" {
      says  = "a client that asks for the Service gets no page"
      holds = probe.client.exit != 0
    }
  }

  solved {
    stable_for = "3s"

    condition "endpoints" {
      says     = "the Service has endpoints, and they are the Deployment's pods"
      kind     = "EndpointSlice"
      selector = "kubernetes.io/service-name=service-selector"
      match    = "any"
      holds = (
        length(self.endpoints) > 0
        && alltrue([for e in self.endpoints : e.conditions.ready && regexmatch("^service-selector-[0-9a-z]+-[0-9a-z]+$", e.targetRef.name)])
      )
    }
    condition "page" {
      says  = "a client in the cluster gets the page"
      holds = probe.client.exit == 0 && strcontains(lower(probe.client.output), "nginx")
    }
    guard "has-replicas" {
      says  = "the Deployment asks for at least one pod, made of nginx:1.25"
      kind  = "Deployment"
      name  = "service-selector"
      holds = self.spec.replicas >= 1 && strcontains(self.spec.template.spec.containers[0].image, "nginx:1.25")
    }
    guard "selects" {
      says  = "the Service finds pods by their labels"
      kind  = "Service"
      name  = "service-selector"
      holds = length(keys(self.spec.selector)) > 0
    }
  }

  hint {
    text = "The Deployment has no pods any more: `kubectl scale deployment service-selector --replicas=2`."
    when {
      kind  = "Deployment"
      name  = "service-selector"
      holds = self.spec.replicas == 0
    }
  }
  hint {
    text = "A Service leads to its endpoints. `kubectl get endpointslices -l kubernetes.io/service-name=service-selector` shows which it has."
  }
  hint {
    text = "Which pods are endpoints follows from labels alone. Compare `kubectl describe service service-selector` (Selector) with `kubectl get pods --show-labels`: a pod has to have every label of the selector."
  }
  hint {
    text = "`kubectl edit service service-selector`, or `kubectl set selector service service-selector KEY=VALUE`, changes what it asks for."
  }

  solution {
    says = "The selector asks for what the pods have."
    run  = ["kubectl set selector service service-selector app=service-selector,tier=web"]
  }
  right_fix "fewer-labels" {
    says = "One label that only these pods have is enough."
    run  = ["kubectl patch service service-selector --type=json -p='[{\"op\":\"remove\",\"path\":\"/spec/selector/tier\"}]'"]
  }
  right_fix "other-pods" {
    says = "The template gives the pods the label that the Service asks for: the Deployment makes new ones."
    run = [
      "kubectl patch deployment service-selector -p '{\"spec\":{\"template\":{\"metadata\":{\"labels\":{\"tier\":\"frontend\"}}}}}'",
      "kubectl rollout status deployment service-selector --timeout=60s",
    ]
  }

  wrong_fix "a-second-service" {
    says = "Another Service finds the pods, but clients ask for this one."
    run  = ["kubectl expose deployment service-selector --name=service-selector-2 --port=80"]
  }
  wrong_fix "a-pod-of-its-own" {
    says = "A pod with the labels that are asked for answers, and the shop's pods still do not."
    run = [
      "kubectl run service-selector-other --image=nginx:1.25 --labels=app=service-selector-other",
      "kubectl set selector service service-selector app=service-selector-other",
      "kubectl wait pod service-selector-other --for=condition=Ready --timeout=60s",
    ]
    fails = ["endpoints"]
  }
  wrong_fix "everything" {
    says = "Without a selector a Service has no pods of its own accord, and nobody lists any for it."
    run  = ["kubectl patch service service-selector --type=json -p='[{\"op\":\"remove\",\"path\":\"/spec/selector\"}]'"]
  }
  wrong_fix "new-pods" {
    says = "New pods have the same labels as the old ones."
    run  = ["kubectl rollout restart deployment service-selector", "kubectl rollout status deployment service-selector --timeout=60s"]
  }
  wrong_fix "no-pods" {
    says = "The selector is right, and there is no pod left to find."
    run = [
      "kubectl scale deployment service-selector --replicas=0",
      "kubectl set selector service service-selector app=service-selector,tier=web",
    ]
    fails = ["has-replicas"]
  }
  wrong_fix "more-pods" {
    says = "Three pods that are not found are no better than two."
    run  = ["kubectl scale deployment service-selector --replicas=3"]
  }
  wrong_fix "label-the-deployment" {
    says = "A Service looks at the labels of pods, not at those of the Deployment."
    run  = ["kubectl label deployment service-selector tier=frontend"]
  }

  debrief = <<-TEXT
    A Service has no list of pods. It has a selector, and Kubernetes keeps the list: every Ready pod that has all labels of the selector is an endpoint. No such pod, no endpoint, and the nodes refuse the connection at once.
    So two places tell a Service that cannot be reached apart: the endpoints (is anybody behind it?) and the port (does it lead to where they listen?).
    Labels of a Deployment are not those of its pods; its pods get those of the template.
  TEXT
}
