scenario "job-once" {
  type    = "task"
  title   = "Run once, to the end"
  summary = "A Job works for half a minute, says that it is done, and succeeds; a pod, a Deployment or a Job that says so at once does not do."

  situation  = "There is an empty namespace `job-once`. A report has to be made once. Making it takes half a minute; a pod that is deleted or fails meanwhile has to be replaced, and one that has succeeded must not begin again."
  goal       = "A Job `report` in the namespace `job-once` has worked for at least 30 seconds, has then logged the line `report done`, and has succeeded."
  rules      = ["The image is `busybox:1.36`. Sleeping is work enough."]
  topic      = "workloads"
  difficulty = "easy"
  minutes    = 15
  after      = ["first-pod"]

  seed {
    manifests = ["manifests/namespace.yaml"]
    images    = ["busybox:1.36"]
  }

  probe "log" {
    namespace = "job-once"
    pod       = "batch.kubernetes.io/job-name=report"
    log       = true
  }

  solved {
    condition "succeeded" {
      says  = "the Job report has succeeded"
      kind      = "Job"
      namespace = "job-once"
      name      = "report"
      holds = self.status.succeeded >= 1 && anytrue([for c in self.status.conditions : c.type == "Complete" && c.status == "True"])
    }
    condition "worked" {
      says     = "it has worked for half a minute"
      kind     = "Pod"
      namespace = "job-once"
      selector = "batch.kubernetes.io/job-name=report"
      match    = "any"
      holds = (
        self.status.phase == "Succeeded"
        && timecmp(timeadd(self.status.containerStatuses[0].state.terminated.startedAt, "30s"), self.status.containerStatuses[0].state.terminated.finishedAt) <= 0
      )
    }
    condition "reported" {
      says  = "its log has the line: report done"
      holds = regexmatch("(?m)^report done\\s*$", probe.log.output)
    }
    guard "image" {
      says = "it runs busybox:1.36"
      kind      = "Job"
      namespace = "job-once"
      name      = "report"
      # busybox:1.36 in each of its spellings.
      holds = regexmatch("^((index\\.)?docker\\.io/)?(library/)?busybox:1\\.36(@sha256:[0-9a-f]{64})?$", self.spec.template.spec.containers[0].image)
    }
  }

  hint {
    text = "`kubectl create job NAME --image=IMAGE --dry-run=client -o yaml -- COMMAND` prints a manifest to begin with."
  }
  hint {
    text = "Several steps in one container are one shell's: `sh -c 'this; that'`."
  }
  hint {
    text = "The pod template of a Job cannot be changed: delete the Job (`kubectl delete job report -n job-once`) and make another."
    when {
      kind      = "Job"
      namespace = "job-once"
      name      = "report"
      holds = length(self.spec.template.spec.containers) > 0
    }
  }

  solution {
    says = "A Job makes a pod that runs to its end, and another one should it fail."
    run  = ["kubectl -n job-once create job report --image=busybox:1.36 -- sh -c 'sleep 31; echo report done'", "kubectl -n job-once wait job report --for=condition=Complete --timeout=80s"]
  }
  right_fix "from-a-manifest" {
    says = "The same with a container's name, a message before and a limit of its own."
    run = [
      <<-SH
        kubectl -n job-once apply -f - <<'EOF'
        apiVersion: batch/v1
        kind: Job
        metadata:
          name: report
        spec:
          backoffLimit: 2
          template:
            spec:
              restartPolicy: OnFailure
              containers:
                - name: writer
                  image: docker.io/library/busybox:1.36
                  command: [sh, -c, "echo begun; for i in 1 2 3 4; do sleep 8; done; echo 'report done'"]
        EOF
      SH
      , "kubectl -n job-once wait job report --for=condition=Complete --timeout=80s",
    ]
  }

  wrong_fix "at-once" {
    says = "The line is there, and the work is not done."
    run  = ["kubectl -n job-once create job report --image=busybox:1.36 -- echo 'report done'", "kubectl -n job-once wait job report --for=condition=Complete --timeout=60s"]
  }
  wrong_fix "a-pod" {
    says = "A bare pod works as long and says the same, and nobody replaces it when it is lost."
    run = [
      "kubectl -n job-once run report --image=busybox:1.36 --restart=Never --labels=batch.kubernetes.io/job-name=report -- sh -c 'sleep 31; echo report done'",
      "kubectl -n job-once wait pod report --for=jsonpath='{.status.phase}'=Succeeded --timeout=80s",
    ]
  }
  wrong_fix "fails-at-the-end" {
    says = "The work is done and the line is there, and the exit code says that it failed."
    run = [
      "kubectl -n job-once create job report --image=busybox:1.36 -- sh -c 'sleep 31; echo report done; exit 1'",
      "kubectl -n job-once wait job report --for=jsonpath='{.status.failed}'=1 --timeout=80s",
    ]
  }
  wrong_fix "silent" {
    says = "It works long enough and succeeds, and says nothing."
    run  = ["kubectl -n job-once create job report --image=busybox:1.36 -- sleep 31", "kubectl -n job-once wait job report --for=condition=Complete --timeout=80s"]
  }

  debrief = <<-TEXT
    A Deployment keeps pods running; a Job brings them to an end. It makes another pod when one fails or is lost (up to backoffLimit), and none once enough have succeeded.
    What counts is the exit code, not what is printed: 0 is success, anything else is a failure.
    A Job and its pods stay after the end, so that their logs can be read; `ttlSecondsAfterFinished` removes them. Its pod template cannot be changed: another run is another Job.
  TEXT
}
