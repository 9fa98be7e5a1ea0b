scenario "service-targetport" {
  type    = "break"
  title   = "A Service that leads nowhere"
  summary = "The Service finds the pods of a shop, but sends what comes in to port 8080, where nothing listens: nginx is on port 80."

  situation  = "A shop runs as the Deployment `service-targetport`. Its pods are Ready, and the Service `service-targetport` has found them: they are its endpoints. Still, no client gets the page."
  goal       = "A client in the cluster gets the shop's page from `http://service-targetport`, on port 80."
  rules      = ["The shop stays as it is: the same image, with at least one pod.", "Clients need not change anything: they go on asking for port 80."]
  topic      = "services"
  difficulty = "easy"
  minutes    = 15
  after      = ["service-selector"]

  seed {
    manifests = ["manifests/shop.yaml"]
    images    = ["nginx:1.25", "busybox:1.36"]
  }

  probe "client" {
    image   = "busybox:1.36"
    run     = "timeout 3 wget -qO- http://service-targetport.default:80"
    control = "nslookup service-targetport.default.svc.cluster.local"
  }

  symptom {
    condition "endpoints" {
      says     = "the Service has endpoints, and they are ready"
      kind     = "EndpointSlice"
      selector = "kubernetes.io/service-name=service-targetport"
      match    = "any"
      holds    = length(self.endpoints) > 0 && alltrue([for e in self.endpoints : e.conditions.ready])
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
      selector = "kubernetes.io/service-name=service-targetport"
      match    = "any"
      holds = (
        length(self.endpoints) > 0
        && alltrue([for e in self.endpoints : e.conditions.ready && startswith(e.targetRef.name, "service-targetport-")])
      )
    }
    condition "page" {
      says  = "a client gets the page on port 80"
      holds = probe.client.exit == 0 && strcontains(lower(probe.client.output), "nginx")
    }
    guard "same-shop" {
      says = "the Deployment asks for at least one pod, of nginx:1.25"
      kind = "Deployment"
      name = "service-targetport"
      holds = (
        self.spec.replicas >= 1
        && regexmatch("^((index\\.)?docker\\.io/)?(library/)?nginx:1\\.25(@sha256:[0-9a-f]{64})?$", self.spec.template.spec.containers[0].image)
      )
    }
    guard "port-80" {
      says  = "the Service is there, on port 80"
      kind  = "Service"
      name  = "service-targetport"
      holds = anytrue([for p in self.spec.ports : p.port == 80])
    }
  }

  hint {
    text = "The Service has to answer on port 80: clients ask for that one. Look at the other port that it has."
    when {
      kind  = "Service"
      name  = "service-targetport"
      holds = length(self.spec.ports) > 0 && !anytrue([for p in self.spec.ports : p.port == 80])
    }
  }
  hint {
    text = "The endpoints are there, so the selector is right. What else does an endpoint have besides an address? `kubectl get endpointslices -l kubernetes.io/service-name=service-targetport`"
  }
  hint {
    text = "Ask a pod by its own address (`kubectl get pods -o wide`), once on each port: where does nginx listen?"
  }
  hint {
    text = "`port` is where the Service is asked, `targetPort` where the pods are: `kubectl edit service service-targetport`."
  }

  solution {
    says = "The Service sends what comes in on port 80 to the port on which nginx listens."
    run  = ["kubectl patch service service-targetport --type=json -p='[{\"op\":\"replace\",\"path\":\"/spec/ports/0/targetPort\",\"value\":80}]'"]
  }
  right_fix "by-name" {
    says = "The container's port has a name, which a Service can ask for instead of a number."
    run  = ["kubectl patch service service-targetport --type=json -p='[{\"op\":\"replace\",\"path\":\"/spec/ports/0/targetPort\",\"value\":\"http\"}]'"]
  }
  right_fix "made-anew" {
    says = "A Service is no more than its declaration: it may be deleted and made again."
    run  = ["kubectl delete service service-targetport", "kubectl expose deployment service-targetport --port=80 --target-port=http"]
  }

  wrong_fix "the-other-port" {
    says = "Now clients would have to ask for port 8080, and it still leads to where nothing listens."
    run  = ["kubectl patch service service-targetport --type=json -p='[{\"op\":\"replace\",\"path\":\"/spec/ports/0/port\",\"value\":8080}]'"]
  }
  wrong_fix "container-port" {
    says = "containerPort is a note for readers and for names: nginx goes on listening on port 80."
    run = [
      "kubectl patch deployment service-targetport --type=json -p='[{\"op\":\"add\",\"path\":\"/spec/template/spec/containers/0/ports/-\",\"value\":{\"containerPort\":8080}}]'",
      "kubectl rollout status deployment service-targetport --timeout=60s",
    ]
  }
  wrong_fix "another-program" {
    says = "Something listens on port 8080 now, and clients get a page: not the shop's."
    run = [
      <<-SH
        kubectl patch deployment service-targetport --type=json -p='[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"busybox:1.36"},
          {"op":"remove","path":"/spec/template/spec/containers/0/readinessProbe"},
          {"op":"add","path":"/spec/template/spec/containers/0/command","value":["sh","-c","mkdir /www; echo nginx > /www/index.html; httpd -f -p 8080 -h /www"]}]'
      SH
      , "kubectl rollout status deployment service-targetport --timeout=60s",
    ]
    fails = ["same-shop"]
  }
  wrong_fix "node-port" {
    says = "Another type of Service opens another way in, to the same wrong port."
    run  = ["kubectl patch service service-targetport -p '{\"spec\":{\"type\":\"NodePort\"}}'"]
  }
  wrong_fix "wrong-name" {
    says = "No container port is called web, so the Service loses its endpoints."
    run  = ["kubectl patch service service-targetport --type=json -p='[{\"op\":\"replace\",\"path\":\"/spec/ports/0/targetPort\",\"value\":\"web\"}]'"]
  }

  debrief = <<-TEXT
    A Service has two ports. `port` is its own, where clients ask; `targetPort` is where the pods listen, as a number or by the name that a container gives its port. Left out, it is the same as `port`.
    The endpoints were there all the time: Kubernetes looks at labels and readiness, and does not try whether anything listens. So the node passed each connection on, and the pod refused it.
    containerPort opens nothing and closes nothing. It says to readers, and to Services that ask by name, what the program does anyway.
  TEXT
}
