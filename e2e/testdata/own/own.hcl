# A lab of a teacher's own: everything that a lab of one's own can hold, in one cluster of one node.
lab "own" {
  title = "A lab of one's own"
}


cluster "kind" "own" {
  kubernetes = "1.35"
  node "control-plane" {}
}

# A break: a StatefulSet whose claims it makes itself, beside a kind of its own and an object of that kind,
# which stands before it in the manifest.
scenario "store" {
  type    = "break"
  title   = "A store that does not open"
  summary = "The store asks for an image that does not exist. Its disk is there."

  situation = "The StatefulSet `store` was rolled out today, and its pod does not start."
  goal      = "The StatefulSet `store` is ready, with the disk that it has."

  input "image" {
    default = "busybox:9.99"
  }

  seed {
    manifests = ["manifests/price.yaml", "manifests/store.yaml"]
    images    = ["busybox:1.36"]
  }

  symptom {
    condition "no-image" {
      says     = "the image ${input.image} does not exist"
      kind     = "Pod"
      selector = "app=store"
      holds = anytrue([for c in self.status.containerStatuses :
        contains(["ErrImagePull", "ImagePullBackOff"], c.state.waiting.reason)
      && regexmatch("not found", c.state.waiting.message)])
      sticky = true
    }
    condition "has-a-disk" {
      says     = "its claim is bound"
      kind     = "PersistentVolumeClaim"
      selector = "app=store"
      holds    = self.status.phase == "Bound"
    }
    condition "priced" {
      says  = "the price is there"
      kind  = "Price.shop.example"
      name  = "bread"
      holds = self.spec.cents == 250
    }
  }

  solved {
    condition "ready" {
      says     = "the store is open"
      kind     = "StatefulSet"
      name     = "store"
      holds    = self.status.readyReplicas == self.spec.replicas
    }
    guard "disk" {
      says     = "it has kept its disk"
      kind     = "PersistentVolumeClaim"
      selector = "app=store"
      holds    = self.status.phase == "Bound"
    }
  }

  hint {
    text = "kubectl describe pod store-0"
  }

  solution {
    says = "The template is mended, and the pod that waits for the old one is replaced."
    run = [
      "kubectl set image statefulset/store app=busybox:1.36",
      "kubectl delete pod store-0 --grace-period=1",
      "kubectl rollout status statefulset/store --timeout=60s",
    ]
  }
  wrong_fix "pod-again" {
    says = "The new pod asks for the same image."
    run  = ["kubectl delete pod store-0 --grace-period=1"]
  }

  debrief = "A StatefulSet does not replace a pod that never became ready."
}

# A break in two namespaces: two objects of one name, of which one is wrong, and an autoscaler in an API version
# of old.
scenario "two-shops" {
  type    = "break"
  title   = "Two shops, one closed"
  summary = "Two namespaces hold the same shop. One of them does not start."

  situation = "The namespaces blue and green hold the same shop. That of green is open, that of blue is not."
  goal      = "Both shops are open, and that of green is as it was."

  seed {
    manifests = ["manifests/shops.yaml"]
    images    = ["busybox:1.36"]
  }

  symptom {
    condition "no-key" {
      says      = "the container of blue cannot be made: the key is missing"
      kind      = "Pod"
      namespace = "blue"
      selector  = "app=shop"
      holds = anytrue([for c in self.status.containerStatuses :
        c.state.waiting.reason == "CreateContainerConfigError"])
    }
    condition "green" {
      says      = "the shop of green is open"
      kind      = "Deployment"
      namespace = "green"
      name      = "shop"
      holds     = self.status.availableReplicas == 1
    }
  }

  solved {
    condition "blue" {
      says      = "the shop of blue is open"
      kind      = "Deployment"
      namespace = "blue"
      name      = "shop"
      holds     = self.status.availableReplicas == 1
    }
    guard "green" {
      says      = "the shop of green is as it was"
      kind      = "ConfigMap"
      namespace = "green"
      name      = "settings"
      holds     = self.data == seed["ConfigMap/green/settings"].data
    }
  }

  hint {
    text = "Compare the two settings."
  }

  solution {
    says = "The key is put where the other shop has it."
    run = [
      "kubectl patch configmap settings --namespace blue --type merge --patch '{\"data\":{\"owner\":\"ann\"}}'",
      "kubectl rollout status deployment/shop --namespace blue --timeout=90s",
    ]
  }
  wrong_fix "restart" {
    says = "The new pod lacks the same key."
    run  = ["kubectl delete pod --namespace blue --selector app=shop --grace-period=1"]
  }
}

# A task: nothing is seeded.
scenario "till" {
  type    = "task"
  title   = "Build a till"
  summary = "Make a pod till of nginx:1.25, with the label env=production."

  situation = "Customers are waiting, and there is no till."
  goal      = "A pod `till` of nginx:1.25 runs, with the label env=production."

  seed {
    images = ["nginx:1.25"]
  }

  solved {
    condition "labelled" {
      says  = "the pod has the label env=production"
      kind  = "Pod"
      name  = "till"
      holds = self.metadata.labels.env == "production"
    }
    condition "runs" {
      says  = "it runs"
      kind  = "Pod"
      name  = "till"
      holds = alltrue([for c in self.status.containerStatuses : c.ready])
    }
  }

  hint {
    text = "kubectl run --help"
  }

  solution {
    says = "kubectl run makes a pod."
    run = [
      "kubectl run till --image=nginx:1.25 --labels=env=production",
      "kubectl wait pod/till --for=condition=Ready --timeout=60s",
    ]
  }
  wrong_fix "no-label" {
    says = "It lacks the label."
    run  = ["kubectl run till --image=nginx:1.25"]
  }
}

# A question: the learner looks, and types what was found.
scenario "audit" {
  type    = "task"
  title   = "Where does it run?"
  summary = "Find out what the control plane's node is called, and on which port its API server listens."

  situation = "There is a cluster, and nobody has a list of it."
  goal      = "You know the node of the control plane, and the port of the API server in it."

  object "nodes" {
    kind     = "Node"
    selector = "node-role.kubernetes.io/control-plane"
  }
  answer "node" {
    ask   = "What is the node of the control plane called?"
    holds = length(self.words) > 0 && sort(self.words) == sort([for n in live.nodes : n.metadata.name])
  }
  answer "port" {
    ask    = "On which port does the API server listen in it?"
    equals = ["6443"]
  }

  solved {}

  hint {
    text = "kubectl get nodes, and kubectl get endpointslices"
  }

  solution {
    says    = "kubectl get lists both."
    run     = ["kubectl get nodes", "kubectl get endpointslices"]
    answers = { node = ["own-control-plane"], port = ["6443"] }
  }
  wrong_fix "the-services-port" {
    says    = "That is the Service's port."
    answers = { node = ["own-control-plane"], port = ["443"] }
    fails   = ["port"]
  }
}

# A demo: a sight.
scenario "pair" {
  type    = "demo"
  title   = "Two in one"
  summary = "A pod of two containers."

  seed {
    manifests = ["manifests/pair.yaml"]
    images    = ["busybox:1.36"]
  }

  symptom {
    condition "both" {
      says  = "both containers are ready"
      kind  = "Pod"
      name  = "pair"
      holds = length([for c in self.status.containerStatuses : c if c.ready]) == 2
    }
  }

  disturbance "gone" {
    says = "Without the pod there is nothing to see."
    run  = ["kubectl delete pod pair --grace-period=1"]
  }
  disturbance "alone" {
    says = "A pod of one container is no pair."
    run = [
      "kubectl delete pod pair --grace-period=1",
      "kubectl run pair --image=busybox:1.36 --command -- sleep 3600",
    ]
  }
}
