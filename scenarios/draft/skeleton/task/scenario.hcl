# Something to build. It works as it is: prove it with `labctl scenario test` on a lab that is up, then change
# one thing at a time and prove it again. docs/labfile.md has every attribute and block.
scenario "NAME" {
  type    = "task"
  title   = "A web server to roll out"
  summary = "A Deployment of nginx is wanted."

  # What learners read. Neither gives the way away.
  situation  = "There is no Deployment `NAME` yet."
  goal       = "The Deployment `NAME` runs nginx:1.25 in at least one pod, and all of its pods are ready."
  topic      = "deployments"
  difficulty = "easy"
  minutes    = 10

  # The images that learners need.
  seed {
    images = ["nginx:1.25"]
  }

  # What learners may make on the way and no condition asks for: a reset removes it.
  clear {
    kind = "Pod"
    name = "NAME"
  }

  solved {
    stable_for = "3s"
    condition "ready" {
      says  = "the Deployment has all the pods that it asks for, one at least, and they are ready"
      kind  = "Deployment"
      name  = "NAME"
      holds = ready(self)
    }
    guard "nginx" {
      says  = "its pods are made of nginx:1.25"
      kind  = "Deployment"
      name  = "NAME"
      holds = self.spec.template.spec.containers[0].image == "nginx:1.25"
    }
  }

  hint {
    text = "kubectl create deployment --help has an example."
  }

  solution {
    says = "One command makes it."
    run = [
      "kubectl create deployment NAME --image=nginx:1.25",
      "kubectl rollout status deployment/NAME --timeout=60s",
    ]
  }

  # What learners may try, which changes something and must not count.
  wrong_fix "bare-pod" {
    says = "A pod of that name is no Deployment: nobody replaces it."
    run  = ["kubectl run NAME --image=nginx:1.25"]
  }
  wrong_fix "no-pods" {
    says = "A Deployment that asks for no pods serves nobody."
    run  = ["kubectl create deployment NAME --image=nginx:1.25 --replicas=0"]
  }

  debrief = "A Deployment keeps as many pods as it asks for, whatever happens to one of them."
}
