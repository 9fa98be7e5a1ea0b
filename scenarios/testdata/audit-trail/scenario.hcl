scenario "audit-trail" {
  type    = "break"
  title   = "An audit trail"
  summary = "The API server was to write an audit log, and does not start any more."

  situation  = "The API server was to write an audit log of all that is done with Secrets. Since the policy and the flags for it were put on the control-plane node, nobody reaches the API server."
  goal       = "The API server answers. It logs requests for Secrets, at the level Metadata, to `/var/log/kubernetes/audit/audit.log` on its node, and no other requests."
  rules      = ["You are root on the node: `docker exec -it NODE bash`."]
  topic      = "control plane"
  difficulty = "hard"
  minutes    = 30
  disrupts   = ["api"]

  seed {
    step "policy" {
      node "control-plane" {
        file   = "/etc/kubernetes/audit/policy.yaml"
        source = "files/policy.yaml"
      }
    }
    step "flags" {
      node "control-plane" {
        component = "kube-apiserver"
        flags = {
          "audit-policy-file" = "/etc/kubernetes/audit/policy.yaml"
          "audit-log-path"    = "/var/log/kubernetes/audit/audit.log"
        }
        mounts = ["/etc/kubernetes/audit", "/var/log/kubernetes/audit"]
      }
    }
  }

  probe "api" {
    node = "control-plane"
    run  = "kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout 3s get --raw /livez"
  }
  # It asks for two things that nobody else asks for, and looks what the log has of them.
  probe "log" {
    node = "control-plane"
    run  = <<-SH
      k="kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout 3s"
      name=asked-$(date +%s%N)
      $k get secret "$name" >/dev/null 2>&1
      $k get configmap "$name" >/dev/null 2>&1
      grep -h "$name" /var/log/kubernetes/audit/audit.log | sed 's/.*"level":"\([A-Za-z]*\)".*"resource":"\([a-z]*\)".*/\2 \1/' | sort -u
    SH
  }

  symptom {
    condition "away" {
      says  = "the API server does not answer"
      holds = probe.api.exit != 0
    }
  }

  solved {
    condition "answers" {
      says  = "the API server answers"
      holds = probe.api.exit == 0
    }
    condition "audited" {
      says  = "requests for Secrets are in the audit log, at the level Metadata, and others are not"
      holds = trimspace(probe.log.output) == "secrets Metadata"
    }
  }

  hint {
    text = "The kubelet starts the API server from `/etc/kubernetes/manifests`. What it says when it ends is in `crictl logs`, and in `/var/log/pods` on the node."
  }
  hint {
    text = "The levels of an audit policy are None, Metadata, Request and RequestResponse."
  }

  solution {
    says = "The level is one that there is; the kubelet is started anew so that it does not wait before it tries again."
    run = [<<-SH
      node=$(kubectl config view -o jsonpath='{.clusters[0].name}' | sed 's/^kind-//')-control-plane
      docker exec "$node" sed -i 's/level: Everything/level: Metadata/' /etc/kubernetes/audit/policy.yaml
      docker exec "$node" systemctl restart kubelet
    SH
    ]
  }

  wrong_fix "without-a-log" {
    says = "Without the flags it starts, and logs nothing."
    run = [<<-SH
      node=$(kubectl config view -o jsonpath='{.clusters[0].name}' | sed 's/^kind-//')-control-plane
      docker exec "$node" sed -i '/--audit-/d' /etc/kubernetes/manifests/kube-apiserver.yaml
      docker exec "$node" systemctl restart kubelet
      docker exec "$node" sh -c 'timeout 60 sh -c "until kubectl --kubeconfig /etc/kubernetes/admin.conf get --raw /readyz; do sleep 1; done"'
    SH
    ]
    fails = ["audited"]
  }
  wrong_fix "all-of-it" {
    says = "A rule without resources is one for everything."
    run = [<<-SH
      node=$(kubectl config view -o jsonpath='{.clusters[0].name}' | sed 's/^kind-//')-control-plane
      printf 'apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules:\n  - level: Metadata\n' | docker exec -i "$node" tee /etc/kubernetes/audit/policy.yaml
      docker exec "$node" systemctl restart kubelet
      docker exec "$node" sh -c 'timeout 60 sh -c "until kubectl --kubeconfig /etc/kubernetes/admin.conf get --raw /readyz; do sleep 1; done"'
    SH
    ]
    fails = ["audited"]
  }

  debrief = "The API server reads its audit policy once, when it starts, and refuses to start with one that it does not understand."
}
