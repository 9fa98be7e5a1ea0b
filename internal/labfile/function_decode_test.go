package labfile

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"
)

func parsedJSON(t *testing.T, text string) cty.Value {
	t.Helper()
	v, err := decodeJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// hostile are texts that decoders have made gigabytes of, or taken minutes for.
func hostile(t testing.TB) []string {
	return []string{
		"", "\x00", "\xff\xfe", "a: &a [*a]", "a: &a\n  <<: *a\n", "a: 1\na: 2\n", "a: 1\n---\nb: 2\n", "a: .nan", "a: 1e999999999", "? [a]\n: b",
		"a: &a " + strings.Repeat("x", 30000) + "\nb: [" + strings.Repeat("*a,", 11000) + "]\n",
		bomb(8, 9, 1), bomb(3, 30, 1000),
		strings.Repeat("[", 65000), strings.Repeat("{\"a\":", 10000), strings.Repeat("- ", 32000), strings.Repeat("? ", 32000), strings.Repeat("{a: ", 16000), strings.Repeat("&a ", 20000),
		strings.Repeat("[", 99) + strings.Repeat("1,", 32000) + "1" + strings.Repeat("]", 99), "[1e999999999, 1e-999999999]",
		"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----", strings.Repeat("-----BEGIN CERTIFICATE-----\n", 2300), strings.Repeat("-----BEGIN A-----\nb:c\n", 2900), withLongKey(t, 180_000),
	}
}

// withLongKey is a certificate that says that it is signed by its own RSA key of so many bits.
func withLongKey(t testing.TB, bits uint) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{}, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Body, Algorithm asn1.RawValue
		Signature       asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &c); err != nil {
		t.Fatal(err)
	}
	n := new(big.Int).Lsh(big.NewInt(1), bits)
	long, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: n.Sub(n, big.NewInt(1)), E: 1<<31 - 1})
	if err != nil {
		t.Fatal(err)
	}
	short, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	c.Body = asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: bytes.Replace(c.Body.Bytes, short, long, 1)}
	c.Signature = asn1.BitString{Bytes: append([]byte{0, 1}, make([]byte, bits/8-2)...), BitLength: int(bits)}
	if der, err = asn1.Marshal(c); err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// What an object holds may be anybody's.
func FuzzDecodingFunctions(f *testing.F) {
	for _, text := range hostile(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		decodeAll(t, text)
	})
}

// decodeAll gives a text to every function of one text.
func decodeAll(t *testing.T, text string) {
	t.Helper()
	for name, fn := range Functions() {
		if params := fn.Params(); len(params) != 1 || params[0].Type != cty.String || fn.VarParam() != nil {
			continue
		}
		start := time.Now()
		v, err := fn.Call([]cty.Value{cty.StringVal(text)})
		if err != nil && strings.Contains(err.Error(), "panic") {
			t.Fatalf("%s: %v", name, err)
		}
		if err == nil && sizeOf(v, 1<<20) > 1<<20 {
			t.Fatalf("%s: a result of more than 1 MiB", name)
		}
		if took := time.Since(start); took > slow/4 {
			t.Fatalf("%s took %s for %.40q", name, took, text)
		}
	}
}

func TestDecodingHostileTextIsQuick(t *testing.T) {
	for _, text := range hostile(t) {
		decodeAll(t, text)
	}
}

func TestDecodingSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"yamldecode", "a: &a " + strings.Repeat("x", 30000) + "\nb: [" + strings.Repeat("*a,", 11000) + "]", "with its aliases expanded it is larger than 512 KiB"},
		{"yamldecode", "a: &a [*a]", "nested 100 deep"},
		{"yamldecode", "a: 1\na: 2", `line 2: The key "a" is there twice`},
		{"yamldecode", "a: 1\n---\nb: 2", "it has more than one document"},
		{"yamldecode", "a: [", "did not find"},
		{"yamldecode", "a: .nan", "NaN"},
		{"yamldecode", "a: &x 1\nb: *x", ""},
		{"yamldecode", "# nothing", ""},
		{"jsondecode", strings.Repeat("[", 101) + strings.Repeat("]", 101), "nested more than 100 deep"},
		{"jsondecode", "1 2", "extraneous data"},
		{"jsondecode", strings.Repeat(" ", maxDecoded+1), "longer than 64 KiB"},
		{"base64decode", "a", "illegal base64"},
		{"base64decode", "/////w==", "what it encodes is not text"},
		{"x509", "", "it has no certificate in PEM form"},
		{"x509", "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----", "it has no certificate in PEM form"},
		{"x509", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----", "x509: malformed"},
		{"x509", withLongKey(t, 20_000), "its key has 20000 bits, and at most 16384"},
	} {
		_, err := Functions()[c.name].Call([]cty.Value{cty.StringVal(c.text)})
		if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s of %.40q: %v, want %q", c.name, c.text, err, c.want)
		}
	}
}

func TestX509(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(0xABC), Subject: pkix.Name{CommonName: "root"}, NotBefore: begin, NotAfter: begin.AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(16), Subject: pkix.Name{CommonName: "web", Organization: []string{"shop"}}, NotBefore: begin, NotAfter: begin.Add(time.Hour),
		DNSNames: []string{"web", "*.shop"}, IPAddresses: []net.IP{net.IPv4(10, 0, 0, 1), net.IPv6loopback},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	made := func(c, parent *x509.Certificate) string {
		der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	root, signed := made(authority, authority), made(leaf, authority)
	for text, want := range map[string]string{
		root: `{"count":1,"dns_names":[],"ip_addresses":[],"is_ca":true,"issuer_cn":"root","key_usage":["cert sign","crl sign"],"not_after":"2025-01-02T03:04:05Z",` +
			`"not_before":"2024-01-02T03:04:05Z","self_signed":true,"serial":"ABC","subject_cn":"root","subject_o":[]}`,
		"words before it\n" + signed + "-----BEGIN X-----\n-----END X-----\n" + root: `{"count":2,"dns_names":["web","*.shop"],"ip_addresses":["10.0.0.1","::1"],"is_ca":false,"issuer_cn":"root",` +
			`"key_usage":["digital signature","server auth","client auth"],"not_after":"2024-01-02T04:04:05Z","not_before":"2024-01-02T03:04:05Z","self_signed":false,"serial":"10","subject_cn":"web","subject_o":["shop"]}`,
	} {
		v, err := Functions()["x509"].Call([]cty.Value{cty.StringVal(text)})
		if err != nil {
			t.Fatal(err)
		}
		written, err := Functions()["jsonencode"].Call([]cty.Value{v})
		if err != nil || written.AsString() != want {
			t.Errorf("%v\n%s, want\n%s", err, written.AsString(), want)
		}
	}
	// The same name is no signature of its own.
	impostor := *authority
	impostor.Subject.CommonName = "root"
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &impostor, authority, &other.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	v, err := Functions()["x509"].Call([]cty.Value{cty.StringVal(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))})
	if err != nil || v.GetAttr("self_signed").True() {
		t.Errorf("%v, %#v", err, v)
	}
}
