package state

import "strings"

// UpCommand is the command that converges the lab again: "labctl up day10.hcl --local --name second".
func (s *State) UpCommand() string {
	file := s.File
	if file == "" {
		file = "FILE"
	} else if strings.ContainsAny(file, " \t'\"\\$`&|;<>()*?[]{}~#!") {
		file = "'" + strings.ReplaceAll(file, "'", `'\''`) + "'"
	}
	command := "labctl up " + file
	if s.Local {
		command += " --local"
	}
	if s.Name != "" {
		command += " --name " + s.Name
	}
	return command
}
