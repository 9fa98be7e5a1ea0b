scenario "answers" {
  type    = "task"
  title   = "T"
  summary = "S"

  situation = "What there is."
  goal      = "What shall be so."
  answer "both" { # ERROR: needs either the words of the right answer (equals) or a condition on self.words (holds)
    ask    = "Which?"
    equals = ["a"]
    holds  = length(self.words) > 0
  }
  answer "empty" {
    ask    = "Which?"
    equals = [] # ERROR: The right answer is a list of words
  }
  answer "good" {
    ask   = "Which?"
    holds = contains(self.words, "x")
  }
  answer "good" { # ERROR: The answer "good" is declared twice
    ask    = "Which?"
    equals = ["a"]
  }
  solved {}
  solution { # ERROR: Nothing asks for "god". Did you mean "good"?
    says    = "x"
    answers = { god = ["x"] }
  }
  wrong_fix "w" { # ERROR: needs the attribute "run"
    says = "x"
  }
  wrong_fix "v" {
    says    = "x"
    answers = "x" # ERROR: "answers" must be lists of words
  }
}
