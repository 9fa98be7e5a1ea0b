package kubectl

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhatIsCarriedIntoTheNode(t *testing.T) {
	read := func(name string) ([]byte, error) {
		if name == "gone.yaml" || name == "folder" {
			return nil, os.ErrNotExist
		}
		return []byte("of " + name), nil
	}
	for line, want := range map[string]string{
		"get pods":                             "get pods",
		"apply -f a.yaml":                      "apply -f - < of a.yaml/---/",
		"-n dev apply --filename=a.yaml":       "-n dev apply -f - < of a.yaml/---/",
		"apply -fa.yaml -f=b.yaml --force":     "apply --force -f - < of a.yaml/---/of b.yaml/---/",
		"delete --filename a.yaml,b.yaml":      "delete -f - < of a.yaml/---/of b.yaml/---/",
		"apply -f -":                           "apply -f -",
		"apply -f https://x/y.yaml":            "apply -f https://x/y.yaml",
		"logs -f deploy/crashloop":             "logs -f deploy/crashloop",
		"-n cp get pods":                       "-n cp get pods",
		"exec p -- tail -f x":                  "exec p -- tail -f x",
		"apply -f a.yaml -- -f b":              "apply -f - -- -f b < of a.yaml/---/",
		"apply -f gone.yaml":                   "error gone",
		"apply -f - -f a.yaml":                 "error one after the other",
		"apply -k dir":                         "error -k",
		"apply -R -f folder":                   "error -R",
		"cp p:/x x":                            "error kubectl cp",
		"-n dev port-forward p 80":             "error port-forward",
		"config set-context x":                 "error kubectl config",
		"create configmap c --from-file=x":     "error --from-file",
		"--kubeconfig=/x get nodes":            "error --kubeconfig",
		"get nodes --kubeconfig /x":            "error --kubeconfig",
		"create secret tls s --cert=a --key b": "error --cert",
	} {
		args, files, err := Carry(strings.Fields(line), read)
		got := strings.Join(args, " ")
		if files != nil {
			got += " < " + strings.ReplaceAll(string(files), "\n", "/")
		}
		if words, wrong := strings.CutPrefix(want, "error "); wrong {
			if err == nil || !strings.Contains(err.Error()+line, words) {
				t.Errorf("%s: %q, %v; want an error about %s", line, got, err, words)
			}
		} else if err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", line, got, err, want)
		}
	}
}

func TestWhoReadsTheInput(t *testing.T) {
	for line, want := range map[string]bool{
		"get pods": false, "apply -f -": true, "exec -it p -- sh": true, "exec -i p -- cat": true, "exec p -- cat -i": false, "edit pod p": true,
		"get pods -n dev": false, "run p --stdin --image x": true, "apply --filename=-": true, "logs -f p": false, "delete -i pod p": true,
	} {
		if got := ReadsInput(strings.Fields(line)); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
}

// https://kubernetes.io/releases/version-skew-policy/#kubectl
func TestFitsWithinOneMinor(t *testing.T) {
	for _, row := range []struct {
		client, server string
		fits           bool
	}{
		{"1.35.4", "1.35.4", true},
		{"1.34.0", "1.35.4", true},
		{"1.36.1", "1.35.4", true},
		{"1.33.9", "1.35.4", false},
		{"1.37.0", "1.35.4", false},
		{"1.32.4-dispatcher", "1.35.4", false},
		{"1.35.0-alpha.1+abc", "1.35.4", true},
		{"1.35", "1.35.4", true},
		{"2.35.0", "1.35.4", false},
		{"", "1.35.4", false}, // it did not say
		{"1.35.4", "", false}, // the cluster's is not known
		{"v1.35.4", "1.35.4", true},
		{"vv1.35.4", "1.35.4", false},
	} {
		if got := Fits(row.client, row.server); got != row.fits {
			t.Errorf("client %q, server %q: %v", row.client, row.server, got)
		}
	}
}

func TestVersion(t *testing.T) {
	for text, want := range map[string]string{
		`echo '{"clientVersion":{"gitVersion":"v1.35.2"}}'`: "v1.35.2",
		`echo 'Client Version: v1.35.2'`:                    "", // not what was asked for
		`exit 1`:                                            "",
	} {
		path := filepath.Join(t.TempDir(), "kubectl")
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		if got := Version(t.Context(), path); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
