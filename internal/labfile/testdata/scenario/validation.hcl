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
  input "size" { # ERROR: The input "size": it must be a quantity
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
