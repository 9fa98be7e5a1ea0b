package ec2

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/provision"
)

var update = flag.Bool("update", false, "write the golden files anew")

const testKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA jane@laptop"

func testHost() *Host {
	spec := &labfile.Host{Type: "ec2", Name: "bench", Region: "ap-south-2", InstanceTypes: []string{"t3.large"}, Image: "debian-12", DiskGiB: 30}
	h := NewHost(spec, provision.Ownership{Lab: "day10", Owner: "jane"}, nil, nil, nil)
	h.PublicKey, h.Kubernetes = testKey, "1.35.4"
	return h
}

var testExpiry = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

func TestUserDataGolden(t *testing.T) {
	text, err := testHost().userData(testExpiry)
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "user-data.yaml")
	if *update {
		if err := os.WriteFile(golden, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("the user data is not that of %s; if it should not be, run the test with -update", golden)
	}
	if len(text) > mostUserData*3/4 {
		t.Errorf("%d bytes; keep away from AWS's limit of %d", len(text), mostUserData)
	}
}

// TestUserDataIsTheSameForTheSame: AWS compares requests that share a token.
func TestUserDataIsTheSameForTheSame(t *testing.T) {
	a, err := testHost().userData(testExpiry)
	if err != nil {
		t.Fatal(err)
	}
	h := testHost()
	h.PublicKey = strings.Replace(testKey, "jane@laptop", "jane@another laptop", 1)
	if b, err := h.userData(testExpiry); err != nil || a != b {
		t.Errorf("another comment of the same key makes other user data (%v)", err)
	}
	if b, err := testHost().userData(testExpiry.Add(time.Second)); err != nil || a == b {
		t.Errorf("another expiry makes the same user data (%v)", err)
	}
}

// TestTimerComesFirst: everything else may hang or fail, and the host still ends itself.
func TestTimerComesFirst(t *testing.T) {
	text, err := testHost().userData(testExpiry)
	if err != nil {
		t.Fatal(err)
	}
	config := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &config); err != nil {
		t.Fatal(err)
	}
	boot, ok := config["bootcmd"].([]any)
	if !ok || len(boot) != 1 {
		t.Fatalf("bootcmd is %v; want one command", config["bootcmd"])
	}
	first := boot[0].(string)
	arm, group := strings.Index(first, "/usr/local/sbin/labctl-host arm\n"), strings.Index(first, "groupadd")
	if arm < 0 || group < arm {
		t.Errorf("the timer is not armed before everything else:\n%s", first)
	}
	if !strings.Contains(first, "|| echo 1795420800 >/etc/labctl/expires\n") {
		t.Errorf("the expiry is not written, or over one that was extended:\n%s", first)
	}
}

func TestNoSecretInUserData(t *testing.T) {
	h := testHost()
	h.PublicKey = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"
	if text, err := h.userData(testExpiry); err == nil {
		t.Errorf("a private key is sent: %s", text)
	}
	h = testHost()
	h.Kubernetes = "1.35.4; curl evil | sh"
	if text, err := h.userData(testExpiry); err == nil {
		t.Errorf("a command is sent as a version: %s", text)
	}
}

func TestKubernetesVersions(t *testing.T) {
	for version, ok := range map[string]bool{"": true, "1.35": true, "1.35.4": true, "v1.35.4": false, "1": false, "latest": false, "1.35.4\n": false} {
		h := testHost()
		h.Kubernetes = version
		text, err := h.userData(testExpiry)
		if (err == nil) != ok {
			t.Errorf("%q: %v", version, err)
		}
		if ok && !strings.Contains(text, "/usr/local/sbin/labctl-setup "+version+"\n") && version != "" {
			t.Errorf("%q is not passed to the setup", version)
		}
	}
}

// TestScriptsParse has the shells of this machine read the scripts, and runs what can be run anywhere.
func TestScriptsParse(t *testing.T) {
	for name, script := range map[string]string{"host.sh": hostScript, "setup.sh": setupScript, "bootcmd": arming(testExpiry)} {
		cmd := exec.Command("sh", "-n")
		cmd.Stdin = strings.NewReader(script)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", name, err, out)
		}
	}
	if strings.Contains(hostScript, "LABCTL-END") {
		t.Error("host.sh holds the word that ends it in the user data")
	}
}
