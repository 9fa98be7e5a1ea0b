# Something to look at. It works as it is: prove it with `labctl scenario test` on a lab that is up, then change
# one thing at a time and prove it again. docs/labfile.md has every attribute and block.
scenario "NAME" {
  type    = "demo"
  title   = "Two pods of one Deployment"
  summary = "A Deployment of nginx with two pods, both ready."

  situation = "The Deployment `NAME` runs two pods."

  seed {
    manifests = ["manifests/web.yaml"]
    images    = ["nginx:1.25"]
  }

  # What there is to see.
  symptom {
    condition "two-ready" {
      says  = "two pods are ready"
      kind  = "Deployment"
      name  = "NAME"
      holds = ready(self) && self.spec.replicas == 2
    }
  }

  # After each of these it must not hold, so that the symptom is known to be able to fail.
  disturbance "fewer" {
    says = "One pod is not two."
    run  = ["kubectl scale deployment/NAME --replicas=1"]
  }
  disturbance "gone" {
    says = "The Deployment is deleted."
    run  = ["kubectl delete deployment NAME --wait=true"]
  }
}
