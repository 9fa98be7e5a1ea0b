// Package xtables makes `iptables` in a container mean the same back end, legacy or nft, as on the node whose network
// namespace the container shares. Rules of the two do not see each other.
//
// It refuses to guess where neither back end can be run.
package xtables

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// sbin is where Debian's iptables package puts its programs.
const sbin = "/usr/sbin"

// Link points iptables, ip6tables and their save and restore programs to the back end that holds more rules. The node's
// entry point counts the same way before anything else runs, so both come to the same answer.
func Link() error {
	legacy, legacyErr := rules("xtables-legacy-multi")
	nft, nftErr := rules("xtables-nft-multi")
	if legacyErr != nil && nftErr != nil {
		return fmt.Errorf("selecting an iptables back end: %w", errors.Join(legacyErr, nftErr))
	}
	backend := "xtables-nft-multi"
	if nftErr != nil || (legacyErr == nil && legacy >= nft) {
		backend = "xtables-legacy-multi"
	}
	for _, family := range []string{"iptables", "ip6tables"} {
		for _, program := range []string{"", "-save", "-restore"} {
			if err := link(filepath.Join(sbin, family+program), backend); err != nil {
				return fmt.Errorf("selecting %s: %w", backend, err)
			}
		}
	}
	return nil
}

func rules(backend string) (int, error) {
	count := 0
	for _, save := range []string{"iptables-save", "ip6tables-save"} {
		out, err := exec.Command(filepath.Join(sbin, backend), save).Output()
		if err != nil && save == "iptables-save" { // IPv6 may well be off
			return 0, fmt.Errorf("%s %s: %w", backend, save, err)
		}
		for line := range strings.Lines(string(out)) {
			if strings.HasPrefix(line, "-") {
				count++
			}
		}
	}
	return count, nil
}

// link replaces atomically, for a container that is started again finds the links of its last run.
func link(path, target string) error {
	temporary := path + ".new"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Symlink(target, temporary); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}
