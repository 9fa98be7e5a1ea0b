scenario "validation" {
  type    = "task"
  title   = "T"
  summary = "S"

  situation = "What there is."
  goal      = "What shall be so."

  input "port" {
    default = 80
    validation {
      condition     = input.port > 0 && input.port < 65536
      error_message = "a port is between 1 and 65535"
    }
  }
  input "size" { # ERROR: The input "size": it must be a quantity (Invalid value for "value" parameter: "much" is no quantity such as 500m or 1Gi)
    default = "much"
    validation {
      condition     = quantity(input.size) > 0
      error_message = "it must be a quantity"
    }
  }
  input "odd" {
    default = 1
    validation { # ERROR: needs the attribute "error_message"
      condition = input.port > 0 # ERROR: port
    }
  }
  input "zones" {
    default = ["a"]
    validation {
      condition     = alltrue([for a in input.zones : [for b in input.zones : [for c in input.zones : a]] != b]) # ERROR: A for expression can be used only in holds and inconclusive_if
      error_message = "x"
    }
  }
  input "several" { # ERROR: The input "several": a version is needed (its condition is neither true nor false)
    default = "nginx"
    validation {
      condition     = length(input.several) < 10
      error_message = "at most nine letters"
    }
    validation {
      condition     = input.several
      error_message = "a version is needed"
    }
    validation {
      condition     = 80 # ERROR: must be true or false, and it is a number
      error_message = "x"
      severity      = "low" # ERROR: "severity"
    }
  }
  solved {
    condition "x" {
      says  = "x"
      kind  = "Pod"
      name  = "x"
      holds = ready(self)
    }
  }
  solution {
    says = "x"
    run  = ["true"]
  }
  wrong_fix "w" {
    says = "x"
    run  = ["true"]
  }
}
