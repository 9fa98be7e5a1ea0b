scenario "briefing-wrong" {
  type       = "demo"
  title      = "T"
  summary    = "S"
  situation  = " "                # ERROR: "situation" says nothing.
  rules      = ["Look.", " "]     # ERROR: A rule says nothing.
  topic      = "pods\nand more"   # ERROR: "topic" is one line
  difficulty = "esay"             # ERROR: "difficulty" takes easy, medium or hard, not "esay". Did you mean "easy"?
  minutes    = 241                # ERROR: "minutes" must be a whole number from 1 to 240.
  after      = ["briefing-wrong", # ERROR: cannot come after itself; ERROR: "other" is named twice; ERROR: The name of a scenario consists of
  "other", "other", "Odd One"]
  disrupts   = ["dns", "dns", "disk"] # ERROR: "disrupts" takes node, api or dns, not "disk".; ERROR: "dns" is named twice.
  seed {
    manifests = "manifests/pod.yaml"
  }
  input "image" { default = "nginx:1.25" }
  input "replicas" { default = 2 }
  input "goal" { default = "" } # ERROR: An input cannot be called "goal"
  symptom {
    condition "seen" {
      kind  = "Pod"
      name  = "web"
      says  = "x"
      holds = self.status.phase == "Running"
    }
  }
  disturbance "a" {
    says = "x"
    run  = "true"
  }
  disturbance "b" {
    says = "x"
    run  = "true"
  }
}
