# ERROR: No lab block: A lab file needs a block: lab "name" { … }.
variable "x" { default = 1 }
# ERROR line 1: A lab needs a block: cluster "kind" "name" { … }.
