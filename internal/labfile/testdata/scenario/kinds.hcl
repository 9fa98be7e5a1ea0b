scenario "Kinds" { # ERROR: The name of a scenario consists of
  type    = "brake" # ERROR: A scenario is of type break, task or demo, not "brake". Did you mean "break"?
  title   = " " # ERROR: "title" says nothing.
  summary = "Text"
  hint {} # ERROR: A hint needs the attribute "text".
  input "kind" { default = 1 } # ERROR: An input cannot be called "kind"
  input "a" {} # ERROR: Input "a" needs the attribute "default".
  input "b" { default = null } # ERROR: "default" is null
  input "b" { default = 1 } # ERROR: The input "b" is declared twice.
  debreif = "" # ERROR: has no attribute "debreif". Did you mean "debrief"?
  simptom {} # ERROR: has no block "simptom". Did you mean "symptom"?
}
scenario "second" {} # ERROR: A scenario file has one scenario block; the first is on line 1.
