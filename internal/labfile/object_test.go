package labfile

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/zclconf/go-cty/cty"
)

const configMap = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"

// bomb is YAML whose last list stands for fan to the power of levels values of some bytes each.
func bomb(levels, fan, bytes int) string {
	var text strings.Builder
	fmt.Fprintf(&text, configMap+"b0: &b0 %s\n", "x", strings.Repeat("x", bytes))
	for i := range levels {
		fmt.Fprintf(&text, "b%d: &b%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*b%d, ", i), fan), ", "))
	}
	return text.String()
}

// What a few lines stand for is counted before it is made.
func TestManifestsAreBounded(t *testing.T) {
	many := strings.Builder{}
	for i := range MaxObjects + 1 {
		fmt.Fprintf(&many, configMap+"---\n", fmt.Sprintf("x%d", i))
	}
	for name, c := range map[string]struct{ manifest, want string }{
		"values":        {bomb(8, 9, 1), "at most 100000 keys and values"},
		"just aliases":  {bomb(1, 9000, 100), "valid"},
		"text":          {bomb(1, 100, 60_000), "at most 4 MiB of them"},
		"objects":       {many.String(), "at most 1000 objects"},
		"within itself": {fmt.Sprintf(configMap, "x") + "a: &a [*a]\n", "nested 100 deep"},
		"flow":          {fmt.Sprintf(configMap, "x") + "a: " + strings.Repeat("[", 150) + strings.Repeat("]", 150), "nested 100 deep"},
		"flow, deeper":  {strings.Repeat("[", MaxBytes-10), "exceeded max depth"},
		"block":         {strings.Repeat("- ", 500_000), "exceeded max depth"},
		"large":         {strings.Repeat("#\n", MaxBytes/2+1), "at most 1 MiB"},
	} {
		for _, seed := range []string{"", "templates = false"} {
			start := time.Now()
			_, problems := withManifest(t, c.manifest, seed)
			switch {
			case len(problems) == 0 && c.want == "valid":
			case len(problems) != 1 || !strings.Contains(problems[0].Detail, c.want):
				t.Errorf("%s: %v", name, problems)
			}
			if took := time.Since(start); took > slow {
				t.Errorf("%s: took %s", name, took)
			}
		}
	}
}

// Inputs multiply, too.
func TestFilledInManifestIsBounded(t *testing.T) {
	d, problems := withManifest(t, fmt.Sprintf(configMap, "x")+strings.Repeat("# ${input.image}\n", 100), "")
	if d == nil {
		t.Fatal(problems)
	}
	manifests, diags := Render(d, map[string]cty.Value{"image": cty.StringVal(strings.Repeat("x", 11_000))})
	if manifests != nil || len(diags) != 1 || !strings.Contains(diags[0].Detail, "larger than 1 MiB") {
		t.Errorf("%v", diags)
	}
}

// The bounds are those of a lab, however many scenarios and files its objects are spread over.
func TestManifestsOfALabAreBoundedTogether(t *testing.T) {
	const scenarios = 30
	var text strings.Builder
	text.WriteString("lab \"x\" {}\ncluster \"kind\" \"x\" {\n  node \"control-plane\" {}\n}\n")
	for i := range scenarios {
		fmt.Fprintf(&text, "scenario \"x%d\" {\n  type = \"demo\"\n  title = \"x\"\n  summary = \"x\"\n  seed {\n    manifests = [\"x%d.yaml\"]\n    templates = false\n  }\n", i, i)
		text.WriteString("  symptom {\n    condition \"x\" {\n      kind = \"Pod\"\n      name = \"x\"\n      says = \"x\"\n      holds = true\n    }\n  }\n")
		text.WriteString("  disturbance \"a\" {\n    says = \"x\"\n    run = \"x\"\n  }\n  disturbance \"b\" {\n    says = \"x\"\n    run = \"x\"\n  }\n}\n")
	}
	big := strings.Repeat("x", 75_000)
	for _, c := range []struct{ rest, want, file string }{
		{"data: " + big + "\n", "", ""},
		{"data: &a " + big + "\nagain: *a\n", "All manifests of a lab together hold at most 4 MiB", "x27.yaml"},
		{"#" + big + big + "\n", `All manifests of a lab together have at most 4 MiB, and with "x27.yaml" they have more.`, "x.hcl"},
	} {
		files := fstest.MapFS{}
		for i := range scenarios {
			name := fmt.Sprintf("x%d", i)
			files[name+".yaml"] = &fstest.MapFile{Data: []byte(fmt.Sprintf(configMap, name) + c.rest)}
		}
		_, diags := Parse(Source{Name: "x.hcl", Bytes: []byte(text.String()), Dir: files}, Options{})
		if c.want == "" && diags == nil {
			continue
		}
		if len(diags) != 1 || !strings.Contains(diags[0].Detail, c.want) || diags[0].Subject.Filename != c.file {
			t.Errorf("%.20s: %v", c.rest, diags)
		}
	}
}

// What is validated is what is seeded: both are decoded once, and as kubectl does it.
func TestObjectsAsKubectlDecodesThem(t *testing.T) {
	text := "\ufeff# first\r\n---  # a comment\r\napiVersion: v1\r\nkind: ConfigMap\r\nmetadata:\r\n  name: x\r\nold: yes\r\n" +
		"int: 9007199254740993\r\nhuge: 123456789012345678901234567890\r\ntext: |\r\n  --- no separator\r\n---\r\n\r\n---\r\n" +
		`{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "y"}, "int": 1}` + "\r\n"
	d, problems := withManifest(t, text, "templates = false")
	if d == nil {
		t.Fatal(problems)
	}
	rendered, diags := Render(d, nil)
	if diags.HasErrors() || len(rendered) != 1 || len(rendered[0].Objects) != 2 {
		t.Fatalf("%v %v", rendered, diags)
	}
	first, second := rendered[0].Objects[0], rendered[0].Objects[1]
	if first["old"] != true || first["int"] != int64(9007199254740993) || first["huge"] != 123456789012345678901234567890.0 || first["text"] != "--- no separator\n" {
		t.Errorf("%v", first)
	}
	if second["int"] != int64(1) {
		t.Errorf("%v", second)
	}
}

func TestInvalidObjects(t *testing.T) {
	const head = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n"
	for name, c := range map[string]struct {
		text string
		line int
		want string
	}{
		"tab":                 {head + "spec:\n\tnode: x\n", 6, "indented with a tab"},
		"tab in a block":      {head + "spec:\n  a: 1\n\tb: 2\n", 7, "indented with a tab"},
		"key twice":           {head + "spec:\n  a: 1\n  a: 2\n", 7, `The key "a" is there twice.`},
		"separator with text": {head + "--- {}\n", 5, "--- on a line of its own"},
		"end of document":     {head + "...\n" + head, 5, "not YAML"},
		"old line ends":       {strings.ReplaceAll(head+"---\n"+head, "\n", "\r"), 1, "--- on a line of its own"},
		"second document":     {head + "---\n" + strings.ReplaceAll(head, "Pod", "Job") + "--- \nkind: Pod\n", 11, "no apiVersion"},
		"name is a bool":      {"apiVersion: v1\nkind: Pod\nmetadata:\n  name: yes\n", 4, "must be a text"},
		"namespace a number":  {head + "  namespace: 1\n", 5, "must be a text"},
		"unknown anchor":      {head + "a: *x\n", 1, "unknown anchor"},
		"infinite":            {head + "a: .inf\n", 1, "unsupported value"},
		"a key that is a map": {head + "? {a: b}\n: c\n", 1, "not YAML"},
		"only comments":       {"# nothing\n", 1, "holds no object"},
		"UTF-16":              {"\xff\xfea\x00:\x00", 1, "UTF-16"},
		"list":                {"- a\n", 1, "no apiVersion"},
	} {
		_, problems := withManifest(t, c.text, "templates = false")
		if len(problems) != 1 || problems[0].Line != c.line || !strings.Contains(problems[0].Detail, c.want) || problems[0].File != "manifests/pod.yaml" {
			t.Errorf("%s: %+v; want line %d, %q", name, problems, c.line, c.want)
		}
	}
}
