lab "huge" {
  title = "${1e999999999}" # ERROR: Number too large
}
