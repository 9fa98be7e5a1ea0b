scenario "access" {
  type    = "task"
  title   = "T"
  summary = "S"

  situation = "What there is."
  goal      = "What shall be so."
  solved {
    access "reader" {
      as  = "system:serviceaccount:shop:reader"
      may = ["list pods in shop", "get pods/log named web in shop", "* deployments.apps in *", "get nodes"]
      not = ["delete pods in shop", "* *"]
    }
    access "reader" { # ERROR: The condition "reader" is declared twice
      as  = "system:serviceaccount:shop" # ERROR: A service account is written system:serviceaccount:NAMESPACE:NAME
      may = []                           # ERROR: There must be something that "system:serviceaccount:shop" may do
    }
    access "wrong" {
      as  = "jane"
      may = ["list", "List pods", "list pods in", "list pods; rm in shop"] # ERROR: "list" is not written VERB RESOURCE; ERROR: "List pods" is not written; ERROR: "list pods in" is not written; ERROR: "list pods; rm in shop" is not written
      not = ["get pods", "get pods"]                                       # ERROR: "get pods" stands there twice
    }
    access "nobody" { # ERROR: needs the attribute "as"; ERROR: needs the attribute "may"
    }
    condition "gone" {
      says  = "it is gone"
      kind  = "Pod"
      name  = "x"
      match = "none"
    }
  }
  solution {
    says = "x"
    run  = ["true"]
  }
  wrong_fix "w" {
    says  = "x"
    run   = ["true"]
    fails = ["gone", "reeder"] # ERROR: There is no condition or guard "reeder" in "solved". Did you mean "reader"?
  }
  right_fix "r" {
    says  = "x"
    run   = ["true"]
    fails = ["gone"] # ERROR: "fails"
  }
  clear { # ERROR: needs either the name of an object or a label selector
    kind = "Service"
  }
}
