package kubetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"testing"
	"time"
)

// Admin is the credentials of a cluster's administrator, each PEM in base64, as a kubeconfig holds them.
type Admin struct{ CA, Certificate, Key string }

// NewAdmin makes credentials that fit together.
func NewAdmin(t testing.TB) Admin {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "kubernetes-admin"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	in := func(kind string, der []byte) string {
		return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	certificate := in("CERTIFICATE", der)
	return Admin{certificate, certificate, in("EC PRIVATE KEY", private)}
}

// Conf is the kubeconfig that kubeadm writes with these credentials; more is added to the cluster's and to
// the user's fields, in YAML's flow style: ", exec: {}".
func (a Admin) Conf(server, moreOfCluster, moreOfUser string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: kubernetes, cluster: {server: %q, certificate-authority-data: %s%s}}]
users: [{name: kubernetes-admin, user: {client-certificate-data: %s, client-key-data: %s%s}}]
contexts: [{name: x, context: {cluster: kubernetes, user: kubernetes-admin}}]
current-context: x
`, server, a.CA, moreOfCluster, a.Certificate, a.Key, moreOfUser)
}
