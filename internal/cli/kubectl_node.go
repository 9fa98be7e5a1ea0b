package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/labctl/labctl/internal/relay"
)

// kubectlInNode is labctl as `kubectl`: it runs the one in the control-plane node, for clusters that no
// kubectl of this machine fits. Local files named with -f are handed over by standard input.
func kubectlInNode(p Process) int {
	args, files, err := carry(p.Args[1:], os.ReadFile)
	if err != nil {
		fmt.Fprintln(p.Err, "labctl as kubectl:", err)
		return 1
	}
	// What is typed or piped is the shell's, unless this kubectl reads it.
	reads := files != nil || readsInput(args)
	argv, terminal := []string{"docker", "exec"}, reads && files == nil && isTerminal(p.In) && isTerminal(p.Out)
	if reads {
		argv = append(argv, "-i")
	}
	if terminal {
		argv = append(argv, "-t")
	}
	argv = append(argv, p.getenv(kubectlNodeEnv), "kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf")
	argv = append(argv, args...)
	var in io.Reader
	switch {
	case files != nil:
		in = bytes.NewReader(files)
	case reads:
		in = p.In
	}
	if p.getenv(relayEnv) != "" {
		if terminal {
			return overSSH(p, argv)
		}
		code, err := relay.Call(p.getenv(relayEnv), argv, in, p.Out, p.Err)
		if err != nil {
			fmt.Fprintln(p.Err, "labctl as kubectl:", err)
		}
		return code
	}
	_, dockerPath := newApp(p).docker()
	cmd := exec.Command(dockerPath, argv[1:]...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = p.Environ, in, p.Out, p.Err
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return statusOf(exit)
	}
	if err != nil {
		fmt.Fprintln(p.Err, "labctl as kubectl:", err)
		return 1
	}
	return 0
}

// readsInput reports whether kubectl reads its standard input: for a file called "-", a command in a pod, an
// editor or a question.
func readsInput(args []string) bool {
	if end := slices.Index(args, "--"); end >= 0 {
		args = args[:end]
	}
	return slices.ContainsFunc(args, func(a string) bool {
		short := len(a) > 1 && len(a) < 4 && a[0] == '-' && strings.Trim(a, "-it") == "" && strings.Contains(a, "i")
		return a == "-" || strings.HasSuffix(a, "=-") || short || strings.HasPrefix(a, "--stdin") || strings.HasPrefix(a, "--interactive") || a == "edit"
	})
}

// notThere are commands of kubectl that work on this machine's files and ports, which the one in a node does
// not have.
func notThere() []string { return []string{"cp", "port-forward", "proxy", "config", "plugin"} }

// withValue are kubectl's general flags whose value is the next word.
func withValue() []string {
	return []string{"-n", "--namespace", "-s", "--server", "--context", "--cluster", "--user", "--request-timeout", "--as", "--as-group", "--token", "-v", "--v"}
}

// carry prepares kubectl's arguments for the one in a node. Local files named by -f become one, which is its
// standard input; nil when there are none. What cannot be carried there is an error.
func carry(args []string, read func(string) ([]byte, error)) (there []string, files []byte, err error) {
	command, input := "", false
	for i := 0; i < len(args); i++ {
		arg := args[i]
		flag, value, joined := strings.Cut(arg, "=")
		switch {
		case arg == "--":
			return finish(there, files, input, args[i:])
		case command == "" && slices.Contains(withValue(), arg) && i+1 < len(args):
			there = append(there, arg, args[i+1])
			i++
		case command == "" && !strings.HasPrefix(arg, "-"):
			command = arg
			if slices.Contains(notThere(), command) {
				return nil, nil, elsewhereError("`kubectl " + command + "`")
			}
			there = append(there, arg)
		case slices.Contains([]string{"-k", "--kustomize", "--from-file", "--from-env-file", "--patch-file", "--cert", "--key", "-R", "--recursive",
			"--kubeconfig", "--certificate-authority", "--client-certificate", "--client-key"}, flag):
			return nil, nil, elsewhereError("the flag " + flag)
		case flag == "-f" || flag == "--filename" || strings.HasPrefix(arg, "-f") && !strings.HasPrefix(arg, "--") && command != "logs":
			if command == "logs" { // there it means to follow
				there = append(there, arg)
				continue
			}
			switch {
			case joined && (flag == "-f" || flag == "--filename"):
			case len(arg) > 2 && arg[1] == 'f':
				value = arg[2:]
			case i+1 < len(args):
				i++
				value = args[i]
			}
			for _, name := range strings.Split(value, ",") {
				switch {
				case name == "-":
					input = true
				case strings.HasPrefix(name, "http://"), strings.HasPrefix(name, "https://"):
					there = append(there, "-f", name)
				default:
					text, err := read(name)
					if err != nil {
						return nil, nil, fmt.Errorf("reading what -f names, for the kubectl in the node: %w", err)
					}
					files = append(append(files, text...), "\n---\n"...)
				}
			}
		default:
			there = append(there, arg)
		}
	}
	return finish(there, files, input, nil)
}

func finish(there []string, files []byte, input bool, rest []string) ([]string, []byte, error) {
	if input && files != nil {
		return nil, nil, errors.New("the kubectl in the node cannot read both -f - and local files: give them one after the other")
	}
	if input || files != nil {
		there = append(there, "-f", "-")
	}
	return append(there, rest...), files, nil
}

func elsewhereError(what string) error {
	return fmt.Errorf("%s means files or ports of this machine, and no kubectl here fits the cluster, so that the one in its node is run: install a kubectl within one minor version of the cluster", what)
}
