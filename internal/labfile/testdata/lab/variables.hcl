# OPTIONS: --var count=two --var regoin=x --var list=[1 --var "object={ a = 1 }" --env LABCTL_VAR_flag=maybe --env LABCTL_VAR_other=1
lab "variables" {
  title = var.regon # ERROR: No variable "regon" is declared. Did you mean "region"?
  ttl   = region # ERROR: There is nothing called "region" here, only var. If it is meant as a text, put it in quotes.
}
variable "region" {} # ERROR: Give it with --var region=…, in the environment as LABCTL_VAR_region=…, or in a .labvars file as region = … .
variable "count" { default = 1 } # ERROR: The variable "count" must be a number, and --var count gives "two".
variable "flag" { type = bool } # ERROR: The variable "flag" must be true or false, and LABCTL_VAR_flag gives "maybe".
variable "list" { default = ["a"] }
variable "object" { type = list(string) } # ERROR: The variable "object" must be a list, and --var object gives "{ a = 1 }".
variable "typo" { type = sting } # ERROR: Invalid type specification; ERROR: The variable "typo" has no default
variable "mismatch" { # the default and the type
  type    = number
  default = "x" # ERROR: The default of variable "mismatch" must be a number, and this is a text.
}
variable "not-null" { default = null } # ERROR: "default" is null. Leave it out instead.
variable "9" { default = 1 } # ERROR: The variable "9" must be a word
variable "host" { default = host.ec2.x } # ERROR: A host can be referred to only by the attribute host of a cluster.
variable "call" { default = uper("x") } # ERROR: There is no function "uper". Did you mean "upper"?
variable "arity" { default = upper("a", "b") } # ERROR: The function "upper" takes 1, and 2 are given.
variable "loop" { default = [for x in ["a"] : x] } # ERROR: A for expression can be used only in holds and inconclusive_if.
cluster "kind" "variables-cluster" {
  node "control-plane" {}
}
# ERROR nowhere: --var regoin: the lab file declares no variable of that name. Did you mean "region"?
# ERROR in --var list line 1: Unterminated
