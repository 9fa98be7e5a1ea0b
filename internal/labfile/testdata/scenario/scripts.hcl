scenario "scripts" {
  type    = "task"
  title   = "Scripts"
  summary = "What is wrong with them."

  situation = "What there is."
  goal      = "What shall be so."

  script "2 words" { # ERROR: The script "2 words" must be a word
    image = "busybox:1.36"
    file  = "scripts/fine.sh"
  }
  script "bare" {} # ERROR: Script "bare" needs the attribute "image".; ERROR: Script "bare" needs the attribute "file".
  script "fine" {
    image = "busybox:1.36"
    file  = "scripts/fine.sh"
  }
  script "fine" { # ERROR: The script "fine" is declared twice.
    image = "busybox:1.36"
    file  = "scripts/fine.sh"
  }
  script "wrong" {
    image  = "Busy Box" # ERROR: "Busy Box" is not an image
    file   = "../outside.sh" # ERROR: its path must be relative
    may    = ["look around please"] # ERROR: "look around please" is not written VERB RESOURCE
    within = "2m" # ERROR: "within" must be from 1s to 1m
    run    = "true" # ERROR: has no attribute "run"
  }
  script "missing" {
    image = "busybox:1.36"
    file  = "scripts/none.sh" # ERROR: The script "scripts/none.sh" cannot be read
    may   = [] # ERROR: Leave "may" out
  }
  script "python" {
    image = "busybox:1.36"
    file  = "scripts/python.sh" # ERROR: labctl runs scripts by sh or bash.
  }
  script "windows" {
    image = "busybox:1.36"
    file  = "scripts/windows.sh" # ERROR: end with a carriage return
  }
  script "empty" {
    image = "busybox:1.36"
    file  = "scripts/empty.sh" # ERROR: The script "scripts/empty.sh" says nothing.
  }
  solved {
    condition "unknown" {
      says  = "unknown"
      holds = script.nope.passed # ERROR: No script "nope" is declared.
    }
    condition "exit" {
      says  = "it has no exit"
      holds = script.fine.exit == 0 # ERROR: exit
    }
    condition "fine" {
      says  = "fine"
      holds = script.fine.passed
    }
  }
  solution {
    says = "Build it."
    run  = ["true"]
  }
}
