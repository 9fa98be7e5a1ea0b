scenario "cross-namespace" {
  type    = "break"
  title   = "A Service in another namespace"
  summary = "A shop asks for the Service stock by its short name, which means the shop's own namespace; the Service is in another one."

  situation  = "A shop was taken apart into two teams' namespaces: the shop itself is in `cross-namespace-front`, what it asks for its stock in `cross-namespace-back`. The stock answers, and its Service has endpoints. Since the move the pod of the Deployment `shop` runs, and is not Ready."
  goal       = "The Deployment `shop` in `cross-namespace-front` is Ready: it gets the stock from where it is, in `cross-namespace-back`."
  rules      = ["The shop stays the program that it is, and goes on saying by itself whether it is open: its command, its image and its readiness probe.", "The stock stays where it is, and there is one of it."]
  topic      = "services"
  difficulty = "medium"
  minutes    = 15
  after      = ["service-selector"]

  seed {
    manifests = ["manifests/back.yaml", "manifests/front.yaml"]
    images    = ["nginx:1.25", "busybox:1.36"]
  }

  probe "stock" {
    image   = "busybox:1.36"
    run     = "timeout 3 wget -qO- http://stock.cross-namespace-back"
    control = "nslookup kubernetes.default.svc.cluster.local"
  }

  symptom {
    condition "closed" {
      says      = "the shop runs and is not Ready"
      kind      = "Pod"
      namespace = "cross-namespace-front"
      selector  = "app=shop"
      holds     = self.status.phase == "Running" && alltrue([for c in self.status.containerStatuses : !c.ready])
    }
    condition "stock-answers" {
      says  = "the stock answers whoever asks for it"
      holds = probe.stock.exit == 0 && startswith(probe.stock.output, "stock:")
    }
  }

  solved {
    stable_for = "4s"

    condition "open" {
      says      = "every pod of the shop is Ready: it has got the stock"
      kind      = "Pod"
      namespace = "cross-namespace-front"
      selector  = "app=shop"
      holds     = self.status.phase == "Running" && alltrue([for c in self.status.containerStatuses : c.ready])
    }
    condition "rolled-out" {
      says      = "the Deployment has all the pods that it asks for, made from its newest template"
      kind      = "Deployment"
      namespace = "cross-namespace-front"
      name      = "shop"
      holds = (
        self.status.updatedReplicas == self.spec.replicas
        && self.status.availableReplicas == self.spec.replicas
        && self.status.replicas == self.spec.replicas
      )
    }
    condition "stock-answers" {
      says  = "the stock answers from its own namespace"
      holds = probe.stock.exit == 0 && startswith(probe.stock.output, "stock:")
    }
    guard "same-shop" {
      says      = "at least one pod is asked for, with the same program and the same readiness probe"
      kind      = "Deployment"
      namespace = "cross-namespace-front"
      name      = "shop"
      holds = (
        self.spec.replicas >= 1
        && jsonencode(self.spec.template.spec.containers[0].command) == jsonencode(seed["Deployment/shop"].spec.template.spec.containers[0].command)
        && jsonencode(self.spec.template.spec.containers[0].readinessProbe.exec) == jsonencode(seed["Deployment/shop"].spec.template.spec.containers[0].readinessProbe.exec)
      )
    }
    guard "by-name" {
      says      = "the shop asks by name, not by an address that changes with the Service"
      kind      = "Deployment"
      namespace = "cross-namespace-front"
      name      = "shop"
      holds = (
        !regexmatch("[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+", self.spec.template.spec.containers[0].env[0].value)
        && !can(self.spec.template.spec.hostAliases)
      )
    }
  }

  hint {
    text = "The container runs, so it has a log: `kubectl logs -n cross-namespace-front deployment/shop`."
  }
  hint {
    text = "Which name does it ask for, and what does that name mean in its pod? `kubectl exec -n cross-namespace-front deployment/shop -- cat /etc/resolv.conf`, the line that begins with `search`."
  }
  hint {
    text = "A Service's full name is SERVICE.NAMESPACE.svc.cluster.local; what the search list adds may be left out."
  }

  solution {
    says = "The name says the namespace as well."
    run  = ["kubectl set env -n cross-namespace-front deployment/shop STOCK_URL=http://stock.cross-namespace-back"]
  }
  right_fix "full-name" {
    says = "The full name means the same from everywhere."
    run  = ["kubectl set env -n cross-namespace-front deployment/shop STOCK_URL=http://stock.cross-namespace-back.svc.cluster.local:80"]
  }
  right_fix "an-alias" {
    says = "A Service of type ExternalName gives the stock a name in the shop's namespace."
    run  = ["kubectl create service externalname stock -n cross-namespace-front --external-name stock.cross-namespace-back.svc.cluster.local"]
  }

  wrong_fix "a-service-alone" {
    says = "A Service stock in the shop's namespace has a name, and no pods behind it."
    run  = ["kubectl create service clusterip stock -n cross-namespace-front --tcp=80:80"]
  }
  wrong_fix "the-namespace-alone" {
    says = "A namespace is no host name."
    run  = ["kubectl set env -n cross-namespace-front deployment/shop STOCK_URL=http://cross-namespace-back"]
  }
  wrong_fix "the-address" {
    says = "The Service's address works until the Service is made anew."
    run = [<<-SH
      ip=$(kubectl get service stock -n cross-namespace-back -o jsonpath='{.spec.clusterIP}')
      kubectl set env -n cross-namespace-front deployment/shop STOCK_URL=http://$ip
      kubectl rollout status -n cross-namespace-front deployment/shop --timeout=60s
    SH
    ]
  }
  wrong_fix "always-ready" {
    says = "Without its probe the shop counts as Ready, and is as closed as before."
    run = [
      "kubectl patch deployment shop -n cross-namespace-front --type=json -p='[{\"op\":\"remove\",\"path\":\"/spec/template/spec/containers/0/readinessProbe\"}]'",
      "kubectl rollout status -n cross-namespace-front deployment/shop --timeout=60s",
    ]
  }
  wrong_fix "new-pods" {
    says = "A new pod asks for the same name."
    run  = ["kubectl rollout restart -n cross-namespace-front deployment/shop"]
  }

  debrief = <<-TEXT
    In a pod, a short name is completed by the search list in /etc/resolv.conf: first NAMESPACE.svc.cluster.local, with the pod's own namespace. So `stock` means the stock beside me, `stock.cross-namespace-back` the one over there, and `stock.cross-namespace-back.svc.cluster.local` the same from everywhere.
    Namespaces part names, not networks: unless a NetworkPolicy says otherwise, every pod reaches every Service.
    The pod was Running and not Ready, which is the truth: the program is alive and cannot do its work. Nothing restarts it for that, and no Service sends anybody there.
  TEXT
}
