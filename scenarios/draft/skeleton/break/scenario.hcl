# A fault to be repaired. It works as it is: prove it with `labctl scenario test` on a lab that is up, then change
# one thing at a time and prove it again. docs/labfile.md has every attribute and block.
scenario "NAME" {
  type    = "break"
  title   = "Running, and never ready" # learners see it: the symptom, not the fault
  summary = "The readiness probe asks for a page that the web server does not have, so the Deployment stays at 0/1."

  # What learners read. Neither gives the fault or the fix away.
  situation  = "The Deployment `NAME` was rolled out. Its container runs, and yet the Deployment stays at 0/1."
  goal       = "The Deployment `NAME` is available."
  rules      = ["Its readiness is still probed over HTTP."]
  topic      = "pods"
  difficulty = "easy"
  minutes    = 10

  # What a lab may set: scenario "NAME" { path = "/other" }
  input "path" {
    description = "What the readiness probe asks for; nginx must not have it."
    default     = "/healthz"
  }

  # What is there before a learner begins, and every image that seed and solutions need.
  seed {
    manifests = ["manifests/web.yaml"]
    images    = ["nginx:1.25"]
  }

  # What is seen while it is broken. labctl waits for it after seeding.
  symptom {
    condition "not-ready" {
      says     = "the container runs and is not ready"
      kind     = "Pod"
      selector = "app=NAME"
      holds    = alltrue([for c in self.status.containerStatuses : can(c.state.running) && !c.ready])
    }
  }

  # When it is repaired. A guard catches what removes the symptom and not the fault.
  solved {
    stable_for = "3s"
    condition "available" {
      says  = "the Deployment is available"
      kind  = "Deployment"
      name  = "NAME"
      holds = self.status.availableReplicas >= 1
    }
    guard "still-probed" {
      says  = "its readiness is still probed"
      kind  = "Deployment"
      name  = "NAME"
      holds = can(self.spec.template.spec.containers[0].readinessProbe.httpGet)
    }
  }

  # From where to look to what to do.
  hint {
    text = "kubectl describe pod -l app=NAME: what do the events at the end say?"
  }
  hint {
    text = "What does the probe ask for, and what does the server answer to that?"
  }

  # One way that works, in commands as a learner types them.
  solution {
    says = "nginx answers / and not ${input.path}: the probe has to ask for what is there."
    run = [
      "kubectl patch deployment NAME --type=json -p '[{\"op\":\"replace\",\"path\":\"/spec/template/spec/containers/0/readinessProbe/httpGet/path\",\"value\":\"/\"}]'",
      "kubectl rollout status deployment/NAME --timeout=60s",
    ]
  }

  # What learners may try, which changes something and must not count. `fails` names what has to say no after it.
  wrong_fix "no-probe" {
    says = "Without a probe everything counts as ready, also what is not."
    run = [
      "kubectl patch deployment NAME --type=json -p '[{\"op\":\"remove\",\"path\":\"/spec/template/spec/containers/0/readinessProbe\"}]'",
      "kubectl rollout status deployment/NAME --timeout=60s",
    ]
    fails = ["still-probed"]
  }
  wrong_fix "more-pods" {
    says  = "Two pods that are probed for what is not there are no better than one."
    run   = ["kubectl scale deployment/NAME --replicas=2"]
    fails = ["available"]
  }

  debrief = "A container that runs is not yet one that serves. Only a ready pod gets traffic."
}
