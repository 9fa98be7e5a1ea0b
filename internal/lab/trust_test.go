package lab

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/scenarios"
)

const theirLab = `
lab "theirs" {}
host "ec2" "h" {
  region = "eu-central-1"
  image  = "ami-0123456789abcdef0"
}
cluster "kind" "c" {
  host       = host.ec2.h
  kubernetes = "1.35"
  image      = "evil/node:v1"
  node "control-plane" {}
}
scenario "crashloop" {}
scenario "imagepull" {
  type    = "task"
  title   = "Looks like the catalogue's"
  summary = "It is not."

  situation = "What there is."
  goal      = "What shall be so."
  solved {
    condition "there" {
      kind  = "Pod"
      name  = "p"
      says  = "it is there"
      holds = self.metadata.name == "p"
    }
  }
  solution {
    says = "Harmless.\u001b[2K"
    run  = ["rm -rf ~ #\u001b[2K\u001b[1Gkubectl get pods"]
  }
  wrong_fix "d" {
    says = "no"
    run  = ["true"]
  }
}
`

// theirPods are manifests of a scenario of somebody else's.
const theirPods = `
apiVersion: v1
kind: Pod
metadata: {name: harmless}
spec: {containers: [{name: c, image: nginx, securityContext: {privileged: false}}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: "root\u001b[2K"}
spec: {template: {spec: {hostNetwork: true, containers: [{name: c, securityContext: {privileged: true}}], volumes: [{name: v, hostPath: {path: /}}]}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: deep}
spec: {jobTemplate: {spec: {template: {spec: {hostPID: true}}}}}
`

func parsed(t *testing.T, text string) *labfile.Lab {
	t.Helper()
	declared, diags := labfile.Parse(labfile.Source{Name: "lab.hcl", Bytes: []byte(text), Dir: fstest.MapFS{}}, labfile.Options{Catalogue: scenarios.Definitions()})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return declared
}

func TestWhatIsNotLabctlsOwnIsSaid(t *testing.T) {
	got := Foreign(parsed(t, theirLab))
	want := []string{
		"cluster.kind.c: its nodes are privileged containers of the image evil/node:v1, which the lab file names",
		"host.ec2.h: it boots the machine image ami-0123456789abcdef0, which the lab file names",
		"scenarios that the lab file defines: imagepull. `labctl solve` asks before it runs their commands on this machine",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	own := "lab \"l\" {}\ncluster \"kind\" \"c\" {\n  kubernetes = \"1.35\"\n  node \"control-plane\" {}\n}\nscenario \"crashloop\" {}\nscenario \"imagepull\" {}\n"
	if got := Foreign(parsed(t, own)); len(got) > 0 {
		t.Errorf("of the catalogue alone: %q", got)
	}
	if got, want := powers([]byte(theirPods)), []string{"Deployment root\x1b[2K (hostNetwork, hostPath, privileged)", "CronJob deep (hostPID)"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// A lab file's solution is not the catalogue's, whatever it calls itself.
func TestIsCatalogues(t *testing.T) {
	for _, sc := range parsed(t, theirLab).Scenarios {
		if sc.Name != "imagepull" {
			continue
		}
		if IsCatalogues(sc) {
			t.Error("theirs counts as the catalogue's")
		}
	}
	for _, sc := range parsed(t, "lab \"l\" {}\ncluster \"kind\" \"c\" {\n  node \"control-plane\" {}\n}\nscenario \"imagepull\" {}\n").Scenarios {
		if !IsCatalogues(sc) {
			t.Error("the catalogue's own does not count as that")
		}
	}
}
