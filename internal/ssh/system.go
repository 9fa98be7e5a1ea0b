package ssh

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh/knownhosts"
)

// SystemSSHArgs returns the arguments for the system's own ssh, for an interactive shell on the same
// host, as the same user, with the same pinned key; a command can be appended. It writes two files into
// dir, 0600, each replaced as a whole: known_hosts and identity. The user's own configuration, agent and
// known hosts have no say: only the pinned key is accepted, only the lab's key is offered, and nothing
// is asked.
func SystemSSHArgs(dir string, cfg Config) ([]string, error) {
	t, err := cfg.check()
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(t.Address)
	if err != nil {
		return nil, fmt.Errorf("the address of %s: %w", t, err)
	}
	if strings.HasPrefix(host, "-") || strings.HasPrefix(t.User, "-") {
		return nil, fmt.Errorf("%s would be read as an option by ssh", t)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, fmt.Errorf("writing SSH files: %w", err)
	}
	known, identity := filepath.Join(dir, "known_hosts"), filepath.Join(dir, "identity")
	line := knownhosts.Line([]string{knownhosts.Normalize(t.Address)}, t.hostKey) + "\n"
	if err := replaceFile(known, []byte(line)); err != nil {
		return nil, err
	}
	if err := replaceFile(identity, t.PrivateKey); err != nil {
		return nil, err
	}
	args := []string{"-F", "/dev/null"}
	for _, option := range []string{
		"UserKnownHostsFile=" + quotePath(known),
		"GlobalKnownHostsFile=/dev/null",
		"StrictHostKeyChecking=yes",
		"CheckHostIP=no",
		"UpdateHostKeys=no",
		"IdentityFile=" + quotePath(identity),
		"IdentitiesOnly=yes",
		"IdentityAgent=none",
		"PreferredAuthentications=publickey",
		"ServerAliveInterval=5",
		"ServerAliveCountMax=4",
	} {
		args = append(args, "-o", option)
	}
	return append(args, "-p", port, "-l", t.User, host), nil
}

// quotePath writes a path as ssh's options take one: blanks would end it, and % begins a token.
func quotePath(path string) string {
	return `"` + strings.NewReplacer(`%`, `%%`, `"`, `\"`, `\`, `\\`).Replace(path) + `"`
}

// replaceFile writes a file of mode 0600 so that it is there as a whole or not at all.
func replaceFile(path string, data []byte) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("writing %s: %w", path, err)
		}
	}()
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".tmp.*")
	if err != nil {
		return err
	}
	// After the rename there is nothing of that name.
	defer os.Remove(temp.Name())
	_, err = temp.Write(data)
	if err == nil {
		err = temp.Sync()
	}
	if cerr := temp.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}
