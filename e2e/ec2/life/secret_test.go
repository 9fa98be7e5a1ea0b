//go:build e2e

package life_test

import (
	"bytes"
	"encoding/base64"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"sigs.k8s.io/yaml"
)

// watcher collects the arguments of every process on this machine, and so of those on the machines that
// the hypervisor runs too.
type watcher struct {
	done chan struct{}
	wg   sync.WaitGroup
	mu   sync.Mutex
	seen map[string]bool
}

func watch() *watcher {
	w := &watcher{done: make(chan struct{}), seen: map[string]bool{}}
	w.wg.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			w.look()
			select {
			case <-w.done:
				return
			case <-tick.C:
			}
		}
	})
	return w
}

func (w *watcher) look() {
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range all {
		if line, err := os.ReadFile(path); err == nil && len(line) > 0 {
			w.mu.Lock()
			w.seen[string(line)] = true
			w.mu.Unlock()
		}
	}
}

func (w *watcher) stop() {
	close(w.done)
	w.wg.Wait()
}

// text is all that was seen, one command a line.
func (w *watcher) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var b strings.Builder
	for line := range w.seen {
		b.WriteString(strings.ReplaceAll(line, "\x00", " ") + "\n")
	}
	return b.String()
}

// secrets are what nobody but the user may ever read, by name: the lab's SSH key and the cluster's client
// key, each in several spellings.
func (s *site) secrets(lab string) map[string]string {
	s.Helper()
	found := map[string]string{}
	key, err := os.ReadFile(filepath.Join(s.state(), "labs", lab, "id_ed25519"))
	if err != nil {
		s.Fatal(err)
	}
	for _, line := range strings.Split(string(key), "\n") {
		if len(line) > 40 && !strings.Contains(line, "-----") {
			found["SSH key, "+line[:4]] = line
		}
	}
	raw, err := os.ReadFile(filepath.Join(s.state(), "labs", lab, "kubeconfig"))
	if err != nil {
		s.Fatal(err)
	}
	var conf struct {
		Users []struct {
			User struct {
				Key []byte `json:"client-key-data"`
			}
		}
	}
	if err := yaml.Unmarshal(raw, &conf); err != nil || len(conf.Users) != 1 || len(conf.Users[0].User.Key) == 0 {
		s.Fatalf("the kubeconfig holds no key: %v", err)
	}
	client := conf.Users[0].User.Key
	found["client key"] = base64.StdEncoding.EncodeToString(client)[60:160]
	found["client key's PEM"] = strings.Split(string(client), "\n")[2]
	if len(found) < 4 {
		s.Fatalf("only %d secrets are known", len(found))
	}
	return found
}

// keepsSecrets looks for the lab's secrets where they must not be, and at the modes of the files that hold
// them. id is the lab's instance.
func (s *site) keepsSecrets(lab, id string) {
	s.Helper()
	dir := filepath.Join(s.state(), "labs", lab)
	attribute, err := s.truth.DescribeInstanceAttribute(s.Context(), &sdk.DescribeInstanceAttributeInput{InstanceId: aws.String(id), Attribute: types.InstanceAttributeNameUserData})
	if err != nil {
		s.Fatal(err)
	}
	data, err := base64.StdEncoding.DecodeString(aws.ToString(attribute.UserData.Value))
	if err != nil || !bytes.HasPrefix(data, []byte("#cloud-config")) {
		s.Fatalf("the user data cannot be read: %v", err)
	}
	places := map[string]string{
		"what labctl has said": s.said.String(), "user data": string(data), "the console": s.Console(id), "arguments of processes": s.argv.text(),
		"the host's journal": s.on(id, "journalctl", "--boot", "--output", "cat"), "cloud-init's logs": s.on(id, "sh", "-c", "cat /var/log/cloud-init*.log"),
	}
	for _, call := range s.proxy.Calls() {
		places["calls"] += call.Form.Encode() + "\n"
	}
	holders := map[string]bool{"id_ed25519": true, "kubeconfig": true, "identity": true}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name := d.Name()
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
		case info.Mode().Perm()&0o077 != 0:
			s.Errorf("%s has mode %o", path, info.Mode().Perm())
		case info.Mode().IsRegular() && !holders[name] && !strings.HasPrefix(name, "kubectl-"):
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			places["file "+name] = string(text)
		}
		return nil
	})
	if err != nil {
		s.Fatal(err)
	}
	n := 0
	for name, secret := range s.secrets(lab) {
		for place, text := range places {
			n++
			if text == "" {
				s.Errorf("%s: nothing was looked at", place)
			}
			if strings.Contains(text, secret) {
				s.Errorf("%s: the %s stands there", place, name)
			}
		}
	}
	s.Logf("%d searches for secrets in %d places", n, len(places))
}
