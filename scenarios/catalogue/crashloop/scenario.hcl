scenario "crashloop" {
  type    = "break"
  title   = "CrashLoopBackOff: the program that starts and dies"
  summary = "The container of a Deployment starts, misses something in its environment, says so and exits. The kubelet starts it again, and again, with ever longer pauses."

  situation = <<-TEXT
    A small shop runs as the Deployment `crashloop`, with one pod. It was moved to this cluster today; elsewhere the same program has been open for months. Here it never opens: the container runs for a second and ends, and RESTARTS in `kubectl get pods` goes up and up.
  TEXT
  goal      = "Every pod of the Deployment `crashloop` runs the shop and stays up."
  rules = [
    "The shop stays the program that it is: the same command, from the same image.",
    "At least one pod has to run. A Deployment of none does not crash, and is not open either.",
  ]
  topic      = "pods"
  difficulty = "easy"
  minutes    = 15
  after      = ["imagepull"]

  seed {
    manifests = ["manifests/deployment.yaml"]
    images    = ["busybox:1.36"]
  }

  symptom {
    condition "restarts" {
      says     = "the container started, exited with code 1 and was started again"
      kind     = "Pod"
      selector = "app=crashloop"
      match    = "any"
      # Between two runs the container waits (CrashLoopBackOff), for a second it runs, then it has
      # terminated: lastState tells of the run before in all three.
      holds = (
        self.status.containerStatuses[0].restartCount >= 1
        && self.status.containerStatuses[0].lastState.terminated.exitCode == 1
      )
      sticky = true
    }
  }

  solved {
    # The program lives for one second when it crashes.
    stable_for = "5s"

    condition "ready" {
      says     = "every pod of the Deployment runs and stays up"
      kind     = "Pod"
      selector = "app=crashloop"
      # Not restartCount == 0: the pods of a lab that was stopped and started have restarted, and are as
      # solved as before. A crash cannot pass for it, since the program then lives shorter than the hold.
      holds = (
        self.status.phase == "Running"
        && alltrue([for c in self.status.containerStatuses : c.ready])
      )
    }
    condition "rolled-out" {
      says = "the Deployment has all the pods that it asks for, made from its newest template"
      kind = "Deployment"
      name = "crashloop"
      holds = (
        self.status.updatedReplicas == self.spec.replicas
        && self.status.availableReplicas == self.spec.replicas
        && self.status.replicas == self.spec.replicas
      )
    }
    guard "has-replicas" {
      says  = "the Deployment asks for at least one pod"
      kind  = "Deployment"
      name  = "crashloop"
      holds = self.spec.replicas >= 1
    }
    guard "same-program" {
      says = "the container runs the same program from the same image"
      kind = "Deployment"
      name = "crashloop"
      # busybox:1.36 in each of its spellings.
      holds = (
        jsonencode(self.spec.template.spec.containers[0].command) == jsonencode(seed["Deployment/crashloop"].spec.template.spec.containers[0].command)
        && !can(self.spec.template.spec.containers[0].args)
        && regexmatch("^((index\\.)?docker\\.io/)?(library/)?busybox:1\\.36(@sha256:[0-9a-f]{64})?$", self.spec.template.spec.containers[0].image)
        && length(self.spec.template.spec.containers[*].name) == 1
      )
    }
    guard "same-pods" {
      says     = "the pods run what the Deployment says"
      kind     = "Pod"
      selector = "app=crashloop"
      holds    = jsonencode(self.spec.containers[0].command) == jsonencode(seed["Deployment/crashloop"].spec.template.spec.containers[0].command)
    }
  }

  # Hints come one at a time, in this order. What fits one wrong turn alone comes before the rest.
  hint {
    text = "With no replicas nothing crashes, and nothing runs either: `kubectl scale deployment crashloop --replicas=1`."
    when {
      kind  = "Deployment"
      name  = "crashloop"
      holds = self.spec.replicas == 0
    }
  }
  hint {
    text = "The container starts, so it has logs. `kubectl get pods` gives the pod's name; `kubectl logs --previous POD` shows the last words of the run that crashed."
  }
  hint {
    text = "`kubectl describe pod POD` shows how it ended: Last State, Reason, Exit Code. An exit code of 1 is the program's own doing."
    when {
      kind     = "Pod"
      selector = "app=crashloop"
      match    = "any"
      holds    = self.status.containerStatuses[0].lastState.terminated.exitCode == 1
    }
  }
  hint {
    text = "The environment of a pod cannot be changed, but that of a Deployment's template can: `kubectl edit deployment crashloop` and add env to the container, or `kubectl set env deployment/crashloop DATABASE_URL=postgres://db.example:5432/shop`. The Deployment then makes a new pod."
    when {
      kind  = "Deployment"
      name  = "crashloop"
      holds = !can(self.spec.template.spec.containers[0].env)
    }
  }

  solution {
    says = "The program needs DATABASE_URL. Set on the Deployment's template, it makes the Deployment replace the pod by one that has it."
    run  = ["kubectl set env deployment/crashloop DATABASE_URL=postgres://db.example:5432/shop"]
  }

  wrong_fix "no-replicas" {
    says = "Nothing crashes any more, because nothing runs any more."
    run  = ["kubectl scale deployment/crashloop --replicas=0"]
  }
  wrong_fix "sleep-instead" {
    says = "The container stays up, but the program is gone: this hides the fault."
    run  = ["kubectl patch deployment crashloop --type=json -p='[{\"op\":\"replace\",\"path\":\"/spec/template/spec/containers/0/command\",\"value\":[\"sleep\",\"86400\"]}]'"]
  }
  wrong_fix "empty-value" {
    says = "The variable is there, but empty, which the program treats as not set."
    run  = ["kubectl set env deployment/crashloop DATABASE_URL="]
  }
  wrong_fix "wrong-value" {
    says = "The variable is set to something that the program cannot use; its log says so."
    run  = ["kubectl set env deployment/crashloop DATABASE_URL=mysql://db.example/shop"]
  }
  wrong_fix "delete-pod" {
    says = "The Deployment makes a new pod from the same template, and it crashes in the same way."
    run  = ["kubectl delete pod -l app=crashloop --grace-period=1"]
  }

  debrief = <<-TEXT
    The container did start, so it had logs, and its last words said what was missing. `kubectl logs --previous` shows the run that crashed; while the container waits for its next start, plain `kubectl logs` shows the same.
    `kubectl get pods` says Running for a second after every start, and the pod's phase is Running all the time: the restart count and Last State tell the truth.
    The kubelet waits 10 seconds before the second restart, then 20, 40, up to 5 minutes: that wait is CrashLoopBackOff.
    On a bare pod `kubectl edit` of the environment is refused, because a pod's env cannot be changed: it has to be deleted and made again. A Deployment's template can be edited, and the Deployment replaces the pod. So the new pod has a new name, UID and IP.
  TEXT
}
