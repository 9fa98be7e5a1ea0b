package labfile

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"maps"
	"math/big"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// documentedObjects are those that the reference's examples speak of.
func documentedObjects(t *testing.T) cty.Value {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"web.shop"}, NotAfter: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate := base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	const containers = `"containers": [{"resources": {"requests": {"cpu": "100m"}}}, {"resources": {"requests": {"cpu": "0.2"}}}]`
	return cty.ObjectVal(map[string]cty.Value{
		"web": parsedJSON(t, `{"kind": "Deployment", "metadata": {"name": "web", "generation": 2}, "spec": {"replicas": 2, "template": {"spec": {`+containers+`}}},
			"status": {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 1, "conditions": [{"type": "Available", "status": "True"}]}}`),
		"set": parsedJSON(t, `{"kind": "ReplicaSet", "metadata": {"name": "web-1", "uid": "1"}}`),
		"pod": parsedJSON(t, `{"kind": "Pod", "metadata": {"name": "web-1-x", "ownerReferences": [{"kind": "ReplicaSet", "name": "web-1", "uid": "1"}]},
			"spec": {`+containers+`}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}`),
		"tls": parsedJSON(t, `{"kind": "Secret", "data": {"tls.crt": "`+certificate+`"}}`),
	})
}

// The reference has an example of every function, and each is true.
func TestDocumentedFunctions(t *testing.T) {
	text, err := os.ReadFile("../../docs/labfile.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| function | | for example |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	ctx := &hcl.EvalContext{Functions: Functions(), Variables: map[string]cty.Value{"self": cty.EmptyObjectVal, "live": documentedObjects(t)}}
	value := func(source string) cty.Value {
		t.Helper()
		expr, diags := hclsyntax.ParseExpression([]byte(source), "", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatalf("%s: %v", source, diags)
		}
		v, diags := expr.Value(ctx)
		if diags.HasErrors() {
			t.Fatalf("%s: %v", source, diags)
		}
		return v
	}
	jsonOf := func(v cty.Value) string {
		t.Helper()
		text, err := Functions()["jsonencode"].Call([]cty.Value{v})
		if err != nil {
			t.Fatal(err)
		}
		return text.AsString()
	}
	name := regexp.MustCompile("`([a-z0-9_]+)\\(")
	example := regexp.MustCompile("`([^`]+)` is `([^`]+)`")
	shown := map[string]bool{}
	for row := range strings.Lines(table) {
		cells := strings.Split(row, " | ")
		if !strings.HasPrefix(row, "| `") || len(cells) != 3 {
			continue
		}
		examples := example.FindAllStringSubmatch(cells[2], -1)
		for _, e := range examples {
			if got, want := jsonOf(value(e[1])), jsonOf(value(e[2])); got != want {
				t.Errorf("%s is %s, and not %s as the reference says", e[1], got, want)
			}
		}
		for _, f := range name.FindAllStringSubmatch(cells[0], -1) {
			if slices.ContainsFunc(examples, func(e []string) bool { return strings.Contains(e[1], f[1]+"(") }) {
				shown[f[1]] = true
			}
		}
	}
	for _, f := range slices.Sorted(maps.Keys(Functions())) {
		if !shown[f] {
			t.Errorf("the reference shows no example of %s", f)
		}
	}
}
