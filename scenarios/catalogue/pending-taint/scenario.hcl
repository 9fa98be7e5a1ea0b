scenario "pending-taint" {
  type    = "break"
  title   = "Pods that no node takes"
  summary = "Every worker node has a taint that the pods of a Deployment do not tolerate, so they stay Pending."

  situation  = "The worker nodes were set aside for the nightly batch jobs. Since then the two pods of the Deployment `pending-taint` wait: they are Pending, on no node, and no container was ever started."
  goal       = "Both pods of the Deployment `pending-taint` run on worker nodes and are Ready."
  rules      = ["The nodes stay set aside, as they are now: it was agreed that this Deployment may run there too, and nothing else."]
  topic      = "scheduling"
  difficulty = "medium"
  minutes    = 15
  after      = ["first-pod"]
  disrupts   = ["node"]

  seed {
    images = ["nginx:1.25"]

    step "set-aside" {
      patch {
        kind     = "Node"
        selector = "!node-role.kubernetes.io/control-plane"
        taints   = ["dedicated=batch:NoSchedule"]
      }
    }
    step "shop" {
      manifests = ["manifests/shop.yaml"]
    }
  }

  symptom {
    condition "pending" {
      says     = "no node takes the pods"
      kind     = "Pod"
      selector = "app=pending-taint"
      holds = (
        self.status.phase == "Pending"
        && anytrue([for c in self.status.conditions : c.type == "PodScheduled" && c.reason == "Unschedulable" && strcontains(c.message, "taint")])
      )
    }
  }

  solved {
    stable_for = "3s"

    condition "ready" {
      says     = "every pod of the Deployment runs and is Ready"
      kind     = "Pod"
      selector = "app=pending-taint"
      holds    = ready(self)
    }
    condition "rolled-out" {
      says  = "the Deployment has both pods, of its newest template"
      kind  = "Deployment"
      name  = "pending-taint"
      holds = rolled_out(self) && self.status.replicas == 2
    }
    guard "still-set-aside" {
      says     = "every worker node is set aside for batch jobs as before"
      kind     = "Node"
      selector = "!node-role.kubernetes.io/control-plane"
      holds    = anytrue([for t in self.spec.taints : t.key == "dedicated" && t.value == "batch" && t.effect == "NoSchedule"])
    }
    guard "on-workers" {
      says  = "the pods are not sent to a node by hand"
      kind  = "Deployment"
      name  = "pending-taint"
      holds = self.spec.replicas == 2 && !can(self.spec.template.spec.nodeName)
    }
    guard "this-alone" {
      says  = "the Deployment tolerates this taint, and not just anything"
      kind  = "Deployment"
      name  = "pending-taint"
      holds = length(self.metadata.name) > 0 && self.spec.replicas >= 1 && alltrue([for t in try(self.spec.template.spec.tolerations, []) : try(t.key, "") != ""])
    }
  }

  hint {
    text = "A pod that is Pending has no log. Who should have found a node for it, and what did that component say? `kubectl describe pod -l app=pending-taint`, at the end."
  }
  hint {
    text = "`kubectl describe nodes` shows Taints. A taint keeps pods away from a node, unless they say that they tolerate it: `kubectl explain deployment.spec.template.spec.tolerations`."
  }
  hint {
    text = "The taint belongs there: it is agreed. What is missing is on the other side, in the template of the pods."
    when {
      kind     = "Node"
      selector = "!node-role.kubernetes.io/control-plane"
      match    = "any"
      holds    = length(self.metadata.name) > 0 && self.metadata.uid != "" && !can(self.spec.taints[0])
    }
  }

  solution {
    says = "The pods tolerate the taint; that lets them onto the nodes which have it."
    run = [<<-SH
      kubectl patch deployment pending-taint --patch '{"spec":{"template":{"spec":{"tolerations":[{"key":"dedicated","operator":"Equal","value":"batch","effect":"NoSchedule"}]}}}}'
    SH
    ]
  }
  right_fix "whatever-the-value" {
    says = "A toleration may leave the value open."
    run = [<<-SH
      kubectl patch deployment pending-taint --patch '{"spec":{"template":{"spec":{"tolerations":[{"key":"dedicated","operator":"Exists"}]}}}}'
    SH
    ]
  }

  wrong_fix "lift-the-taint" {
    says  = "The pods run, and so does anything else: the nodes are not set aside any more."
    run   = ["kubectl taint nodes --selector='!node-role.kubernetes.io/control-plane' dedicated-"]
    fails = ["still-set-aside"]
  }
  wrong_fix "tolerate-everything" {
    says = "A toleration without a key is one of every taint there is, of broken nodes too."
    run = [<<-SH
      kubectl patch deployment pending-taint --patch '{"spec":{"template":{"spec":{"tolerations":[{"operator":"Exists"}]}}}}'
    SH
    ]
    fails = ["this-alone"]
  }
  wrong_fix "past-the-scheduler" {
    says = "A node that is named in the template takes the pods without the scheduler, and whatever it knows."
    run = [<<-SH
      node=$(kubectl get nodes --selector='!node-role.kubernetes.io/control-plane' -o jsonpath='{.items[0].metadata.name}')
      kubectl patch deployment pending-taint --patch "{\"spec\":{\"template\":{\"spec\":{\"nodeName\":\"$node\"}}}}"
    SH
    ]
    fails = ["on-workers"]
  }
  wrong_fix "another-key" {
    says = "A taint is tolerated by its key, and this is another one."
    run = [<<-SH
      kubectl patch deployment pending-taint --patch '{"spec":{"template":{"spec":{"tolerations":[{"key":"batch","operator":"Exists"}]}}}}'
    SH
    ]
    fails = ["ready"]
  }
  wrong_fix "new-pods" {
    says  = "New pods ask for the same."
    run   = ["kubectl delete pods -l app=pending-taint"]
    fails = ["ready"]
  }

  debrief = <<-TEXT
    Pending without a node is the scheduler's word: for each node it says why not, in the pod's condition PodScheduled and in an event.
    A taint on a node keeps pods away; a toleration in a pod lets it past that taint, and pulls it nowhere: for that there are node selectors and affinity. NoSchedule only keeps new pods out, NoExecute drives out those that run.
    The control-plane node has a taint of its own, which is why your pods have never been there.
  TEXT
}
