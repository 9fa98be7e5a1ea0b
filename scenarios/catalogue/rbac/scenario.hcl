scenario "rbac" {
  type    = "task"
  title   = "Read only"
  summary = "A service account gets the right to read pods in its own namespace, and no other right."

  situation  = "A monitoring program is to come into the namespace `rbac`. Its service account `reader` is there, and may do nothing yet. There is also a Secret in that namespace which is none of its business."
  goal       = "The service account `reader` may get, list and watch the pods in the namespace `rbac`, and read their logs. It may do nothing else: not change anything, not read other kinds of object, not read pods elsewhere."
  rules      = ["Roles and bindings may have any names."]
  topic      = "access"
  difficulty = "medium"
  minutes    = 15

  seed {
    manifests = ["manifests/account.yaml"]
  }

  # Whoever binds for all of the cluster makes objects outside of the namespace.
  clear {
    kind = "ClusterRoleBinding"
    name = "rbac-reader"
  }
  clear {
    kind = "ClusterRole"
    name = "rbac-reader"
  }

  solved {
    access "reads-pods" {
      says = "reader may get, list and watch pods in rbac, and read their logs"
      as   = "system:serviceaccount:rbac:reader"
      may = [
        "get pods in rbac",
        "list pods in rbac",
        "watch pods in rbac",
        "get pods/log in rbac",
      ]
    }
    access "changes-nothing" {
      says = "reader may change nothing"
      as   = "system:serviceaccount:rbac:reader"
      may  = ["list pods in rbac"]
      not = [
        "create pods in rbac",
        "delete pods in rbac",
        "patch pods in rbac",
        "create pods/exec in rbac",
        "* pods in rbac",
      ]
    }
    access "nothing-else" {
      says = "reader may not read other kinds of object"
      as   = "system:serviceaccount:rbac:reader"
      may  = ["list pods in rbac"]
      not = [
        "get secrets in rbac",
        "list secrets in rbac",
        "list configmaps in rbac",
        "list deployments in rbac",
        "list * in rbac",
      ]
    }
    access "nowhere-else" {
      says = "reader may not read pods in other namespaces"
      as   = "system:serviceaccount:rbac:reader"
      may  = ["list pods in rbac"]
      not  = ["list pods in *", "list pods in default", "get pods in kube-system"]
    }
    access "nobody-else" {
      says = "the right is this account's alone, not every account's of the namespace"
      as   = "system:serviceaccount:rbac:default"
      may  = ["create selfsubjectaccessreviews.authorization.k8s.io in rbac"]
      not  = ["list pods in rbac"]
    }
    guard "account" {
      says      = "the account is there"
      kind      = "ServiceAccount"
      namespace = "rbac"
      name      = "reader"
      holds     = length(self.metadata.name) > 0 && self.metadata.namespace == "rbac"
    }
  }

  hint {
    text = "`kubectl auth can-i list pods -n rbac --as=system:serviceaccount:rbac:reader` asks what the account may do; `kubectl auth can-i --list` with the same `--as` lists all of it."
  }
  hint {
    text = "A right is two objects: one says what may be done (a Role in one namespace, a ClusterRole in all of them), the other who may do it (a RoleBinding or a ClusterRoleBinding)."
  }
  hint {
    text = "`kubectl create role --help` and `kubectl create rolebinding --help` have examples. Logs are a resource of their own: `pods/log`."
  }

  solution {
    says = "A Role says what may be done in the namespace, and a RoleBinding gives it to the account."
    run = [
      "kubectl create role pod-reader -n rbac --verb=get,list,watch --resource=pods,pods/log",
      "kubectl create rolebinding pod-reader -n rbac --role=pod-reader --serviceaccount=rbac:reader",
    ]
  }
  right_fix "a-cluster-role-bound-here" {
    says = "A ClusterRole that a RoleBinding gives is valid in the binding's namespace alone."
    run = [
      "kubectl create clusterrole rbac-reader --verb=get,list,watch --resource=pods,pods/log",
      "kubectl create rolebinding reads -n rbac --clusterrole=rbac-reader --serviceaccount=rbac:reader",
    ]
  }

  wrong_fix "every-verb" {
    says = "With * the account may delete what it should only read."
    run = [
      "kubectl create role pod-reader -n rbac --verb='*' --resource=pods,pods/log",
      "kubectl create rolebinding pod-reader -n rbac --role=pod-reader --serviceaccount=rbac:reader",
    ]
    fails = ["changes-nothing"]
  }
  wrong_fix "everywhere" {
    says = "A ClusterRoleBinding is valid in every namespace."
    run = [
      "kubectl create clusterrole rbac-reader --verb=get,list,watch --resource=pods,pods/log",
      "kubectl create clusterrolebinding rbac-reader --clusterrole=rbac-reader --serviceaccount=rbac:reader",
    ]
    fails = ["nowhere-else"]
  }
  wrong_fix "view" {
    says  = "The role view reads far more than pods."
    run   = ["kubectl create rolebinding viewer -n rbac --clusterrole=view --serviceaccount=rbac:reader"]
    fails = ["nothing-else"]
  }
  wrong_fix "a-role-alone" {
    says  = "A Role that nobody is bound to gives nobody anything."
    run   = ["kubectl create role pod-reader -n rbac --verb=get,list,watch --resource=pods,pods/log"]
    fails = ["reads-pods"]
  }
  wrong_fix "another-account" {
    says = "The report logs in as reader, and that account is gone."
    run = [
      "kubectl delete serviceaccount reader -n rbac",
      "kubectl create serviceaccount rbac-reader -n rbac",
      "kubectl create role pod-reader -n rbac --verb=get,list,watch --resource=pods,pods/log",
      "kubectl create rolebinding pod-reader -n rbac --role=pod-reader --serviceaccount=rbac:rbac-reader",
    ]
    fails = ["account"]
  }
  wrong_fix "every-account" {
    says = "The binding is to all accounts of the namespace."
    run = [
      "kubectl create role pod-reader -n rbac --verb=get,list,watch --resource=pods,pods/log",
      "kubectl create rolebinding pod-reader -n rbac --role=pod-reader --group=system:serviceaccounts:rbac",
    ]
    fails = ["nobody-else"]
  }

  debrief = <<-TEXT
    RBAC only ever adds: there is no rule that forbids. What nobody has bound to a subject, the subject may not do. So the question is always which roles it is bound to, in which namespace, by itself and by its groups.
    A Role names verbs and resources, and subresources are resources: who may get `pods` may not yet get `pods/log`.
    Where a right is valid, the binding decides: a RoleBinding in its own namespace, also when it gives a ClusterRole; a ClusterRoleBinding everywhere.
  TEXT
}
