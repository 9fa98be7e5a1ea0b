// Package kubectl decides which kubectl fits a cluster, and prepares what is typed for the one in a node.
package kubectl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/version"

	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/untrusted"
)

// ReadsInput reports whether kubectl reads its standard input: for a file called "-", a command in a pod, an
// editor or a question.
func ReadsInput(args []string) bool {
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

// Carry prepares kubectl's arguments for the one in a node. Local files named by -f become one, which is its
// standard input; nil when there are none. What cannot be carried there is an error.
func Carry(args []string, read func(string) ([]byte, error)) (there []string, files []byte, err error) {
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

// versionTimeout bounds the question for a kubectl's version.
const versionTimeout = 10 * time.Second

// Version asks a kubectl for its version, as in "v1.35.4"; "" when it does not say.
func Version(ctx context.Context, path string) string {
	ctx, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	out := untrusted.NewBuffer(1<<20, "the output of kubectl version")
	if err := (command.Local{}).Run(ctx, command.Command{Argv: []string{path, "version", "--client", "-o", "json"}, Stdout: out}); err != nil {
		return ""
	}
	var v struct {
		ClientVersion struct {
			GitVersion string `json:"gitVersion"`
		} `json:"clientVersion"`
	}
	if json.Unmarshal(out.Bytes(), &v) != nil {
		return ""
	}
	return v.ClientVersion.GitVersion
}

// Fits reports whether a kubectl of that version is within one minor version of the cluster's
// (https://kubernetes.io/releases/version-skew-policy/#kubectl).
func Fits(client, server string) bool {
	a, err1 := version.ParseMajorMinor(client)
	b, err2 := version.ParseMajorMinor(server)
	return err1 == nil && err2 == nil && a.Major() == b.Major() && a.Minor() <= b.Minor()+1 && b.Minor() <= a.Minor()+1
}
