package labfile

import (
	"strings"
	"testing"
	"testing/fstest"
)

// What is wrong with an attempt is said where it stands.
func TestAttemptErrors(t *testing.T) {
	const good = `
    attempt "door" {
      refused  = ["bad.yaml"]
      because  = "violates PodSecurity"
      admitted = ["good.yaml"]
    }`
	files := fstest.MapFS{}
	for _, name := range []string{"bad", "good", "more"} {
		files[name+".yaml"] = &fstest.MapFile{Data: []byte("{apiVersion: v1, kind: Pod, metadata: {name: " + name + "}}")}
	}
	files["many.yaml"] = &fstest.MapFile{}
	for i := range 21 {
		files["many.yaml"].Data = append(files["many.yaml"].Data, "---\n{apiVersion: v1, kind: Pod, metadata: {name: p"+string(rune('a'+i))+"}}\n"...)
	}
	parse := func(attempt string) string {
		_, diags := ParseDefinition(Source{Name: "scenario.hcl", Dir: files, Bytes: []byte(`scenario "door" {
  type = "task"
  title = "T"
  summary = "S."
  situation = "A."
  goal = "B."
  solved {` + attempt + `
  }
  solution {
    says = "C."
    run = ["true"]
  }
  wrong_fix "d" {
    says = "E."
    run = ["true"]
  }
}`)})
		if !diags.HasErrors() {
			return ""
		}
		return diags.Error()
	}
	if err := parse(good); err != "" {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{`admitted = ["good.yaml"]`, ``, `needs the attribute "admitted"`},
		{`["good.yaml"]`, `[]`, `where nothing is let in, a refusal says nothing`},
		{`["bad.yaml"]`, `[]`, `"refused" names the manifests of what has to be refused`},
		{`["good.yaml"]`, `["bad.yaml"]`, `"bad.yaml" cannot be both refused and let in`},
		{`["good.yaml"]`, `["gone.yaml"]`, `The manifest "gone.yaml" cannot be read`},
		{`["good.yaml"]`, `["../up.yaml"]`, `"../up.yaml"`},
		{`["good.yaml"]`, `["many.yaml"]`, `at most 20 objects`},
		{`because  = "violates PodSecurity"`, ``, `needs the attribute "because"`},
		{`"violates PodSecurity"`, `" "`, `stands in the API server's refusal`},
		{`because  =`, "groups = [\"a\"]\n because =", `"groups" goes with "as"`},
		{`because  =`, "as = \"system:serviceaccount:x\"\n because =", `system:serviceaccount:NAMESPACE:NAME`},
		{`}`, "}\n attempt \"door\" {\n refused = [\"bad.yaml\"]\n because = \"x\"\n admitted = [\"good.yaml\"]\n }", `"door" is declared twice`},
	} {
		if err := parse(strings.Replace(good, c.old, c.new, 1)); !strings.Contains(err, c.want) || !strings.Contains(err, "scenario.hcl:") {
			t.Errorf("%s in place of %s: %q, want %q", c.new, c.old, err, c.want)
		}
	}
}
