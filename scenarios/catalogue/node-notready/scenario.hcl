scenario "node-notready" {
  type    = "break"
  title   = "A node that is not Ready"
  summary = "The kubelet of a worker node does not run, so that the node is NotReady and the state of its pods is not known any more."

  situation  = "The Deployment `node-notready` has a pod on each of two worker nodes. Since last night one of these nodes is NotReady, and one pod does not count any more. Nobody has done anything, they say; the machine itself is up."
  goal       = "Every node is Ready, and the Deployment `node-notready` has both of its pods, on two nodes."
  rules      = ["You are root on every node: `docker exec -it NODE bash` is the login to it, by the node's name.", "The node is needed: it is not to be taken out of the cluster, and the Deployment stays as it is."]
  topic      = "nodes"
  difficulty = "medium"
  minutes    = 20
  after      = ["pending-taint"]
  disrupts   = ["node"]

  seed {
    images = ["nginx:1.25"]

    step "shop" {
      manifests = ["manifests/shop.yaml"]
      until {
        condition "available" {
          says  = "both pods are there"
          kind  = "Deployment"
          name  = "node-notready"
          holds = rolled_out(self) && self.status.availableReplicas == 2
        }
      }
    }
    step "last-night" {
      node "worker" {
        stop = "kubelet"
      }
    }
  }

  # What tells whether the node itself is well, whatever anybody has written into its status.
  probe "kubelet" {
    node = "worker"
    run  = "systemctl is-active kubelet"
  }

  symptom {
    condition "not-ready" {
      says     = "nothing is heard of a worker node any more"
      kind     = "Node"
      selector = "!node-role.kubernetes.io/control-plane"
      match    = "any"
      holds    = anytrue([for c in self.status.conditions : c.type == "Ready" && c.status == "Unknown" && c.reason == "NodeStatusUnknown"])
    }
    condition "short" {
      says  = "the Deployment lacks a pod"
      kind  = "Deployment"
      name  = "node-notready"
      holds = self.status.unavailableReplicas >= 1
    }
  }

  solved {
    stable_for = "3s"

    condition "kubelet-runs" {
      says  = "the kubelet of the node runs"
      holds = probe.kubelet.exit == 0
    }
    condition "nodes-ready" {
      says     = "every node is Ready"
      kind     = "Node"
      selector = "kubernetes.io/os=linux"
      holds    = condition(self, "Ready")
    }
    condition "rolled-out" {
      says  = "the Deployment has both of its pods"
      kind  = "Deployment"
      name  = "node-notready"
      holds = rolled_out(self) && self.status.availableReplicas == 2
    }
    guard "as-it-was" {
      says  = "the Deployment asks for two pods on two nodes, as before"
      kind  = "Deployment"
      name  = "node-notready"
      holds = self.spec.replicas == 2 && try(self.spec.template.spec.topologySpreadConstraints[0].whenUnsatisfiable, "") == "DoNotSchedule"
    }
  }

  hint {
    text = "`kubectl describe node` of the one that is NotReady says in its conditions what is known, and since when: \"Kubelet stopped posting node status\". Who posts it?"
  }
  hint {
    text = "The API server only knows what it is told, and nobody on that node tells it anything. So go there: `docker exec -it NODE bash`."
  }
  hint {
    text = "On a node systemd runs the services: `systemctl status kubelet`, `journalctl -u kubelet`. Containers go on without it: `crictl ps`."
  }

  solution {
    says = "The kubelet is a service of the node, and was stopped there. When it runs it reports the node again."
    run = [<<-SH
      node=$(kubectl get nodes --no-headers | awk '$2 ~ /^NotReady/ { print $1; exit }')
      docker exec "$node" systemctl start kubelet
    SH
    ]
  }

  wrong_fix "tolerated" {
    says = "A pod that tolerates the node is sent there, and nobody there starts it."
    run = [<<-SH
      kubectl patch deployment node-notready --type=json --patch '[{"op":"add","path":"/spec/template/spec/tolerations","value":[{"key":"node.kubernetes.io/unreachable","operator":"Exists"}]}]'
    SH
    ]
    fails = ["kubelet-runs", "nodes-ready"]
  }
  wrong_fix "somewhere-else" {
    says = "Without the rule that spreads them both pods find room on the other node. The node is as it was."
    run = [<<-SH
      kubectl patch deployment node-notready --type=json --patch '[{"op":"remove","path":"/spec/template/spec/topologySpreadConstraints"}]'
    SH
    ]
    fails = ["nodes-ready", "as-it-was"]
  }

  debrief = <<-TEXT
    A node is Ready because its kubelet says so, every ten seconds, and renews a lease. When that ends, the node controller waits for a while (`--node-monitor-grace-period`) and then writes Unknown: not "it is broken", but "nobody tells me".
    The containers on the node went on all the time: they are the runtime's, and `crictl ps` shows them. What ended is everything that the kubelet does: probes, restarts, new pods, `kubectl logs` and `exec`.
    Pods tolerate such a node for five minutes, by a toleration that every pod is given. Only then are they evicted, and a controller makes others elsewhere.
  TEXT
}
