package kube

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"
)

// maxKubeconfig bounds a kubeconfig that is read.
const maxKubeconfig = 1 << 20

// Access is how a cluster's administrator reaches its API server. It is all that is ever taken out of a
// kubeconfig: whoever can write one on a node could otherwise name a program, a file or a proxy in it, and
// kubectl here would obey.
type Access struct {
	Server string // https://HOST:PORT; empty when the kubeconfig's was not understood
	// PEM, each parsed and written anew.
	CA, Certificate, Key []byte
	// Ignored are the fields of the two entries that were not taken, sorted.
	Ignored []string
}

// kubeconfig is what is read of one. Of each entry only the fields of Access count.
type kubeconfig struct {
	APIVersion     string         `json:"apiVersion"`
	Kind           string         `json:"kind"`
	Clusters       []clusterEntry `json:"clusters"`
	Users          []userEntry    `json:"users"`
	Contexts       []contextEntry `json:"contexts"`
	CurrentContext string         `json:"current-context"`
}

type clusterEntry struct {
	Name    string         `json:"name"`
	Cluster map[string]any `json:"cluster"`
}

type userEntry struct {
	Name string         `json:"name"`
	User map[string]any `json:"user"`
}

type contextEntry struct {
	Name    string            `json:"name"`
	Context map[string]string `json:"context"`
}

// ReadAccess takes the access out of a kubeconfig: that of the cluster and the user called name, or of
// the current context where name is empty. A learner may have added others, and chosen another context.
func ReadAccess(raw []byte, name string) (Access, error) {
	access, err := readAccess(raw, name)
	if err != nil {
		return Access{}, fmt.Errorf("reading the kubeconfig: %w", err)
	}
	return access, nil
}

func readAccess(raw []byte, name string) (Access, error) {
	if len(raw) > maxKubeconfig {
		return Access{}, fmt.Errorf("it has %d bytes; %d are allowed", len(raw), maxKubeconfig)
	}
	var conf kubeconfig
	if err := yaml.Unmarshal(raw, &conf); err != nil {
		return Access{}, err
	}
	cluster, user := name, name
	if name == "" {
		i := slices.IndexFunc(conf.Contexts, func(c contextEntry) bool { return c.Name == conf.CurrentContext })
		if i < 0 {
			return Access{}, errors.New("it has no current context")
		}
		cluster, user = conf.Contexts[i].Context["cluster"], conf.Contexts[i].Context["user"]
	}
	ci := slices.IndexFunc(conf.Clusters, func(e clusterEntry) bool { return e.Name == cluster })
	ui := slices.IndexFunc(conf.Users, func(e userEntry) bool { return e.Name == user })
	if ci < 0 || ui < 0 {
		return Access{}, fmt.Errorf("it lacks the cluster %q or the user %q", cluster, user)
	}
	of, by := conf.Clusters[ci].Cluster, conf.Users[ui].User
	a := Access{Ignored: slices.Sorted(slices.Values(append(others(of, "server", "certificate-authority-data"), others(by, "client-certificate-data", "client-key-data")...)))}
	if server, _ := of["server"].(string); isServer(server) {
		a.Server = server
	}
	var err error
	if a.CA, err = certificates(of["certificate-authority-data"]); err != nil {
		return Access{}, fmt.Errorf("certificate-authority-data: %w", err)
	}
	if a.Certificate, err = certificates(by["client-certificate-data"]); err != nil {
		return Access{}, fmt.Errorf("client-certificate-data: %w", err)
	}
	if a.Key, err = privateKey(by["client-key-data"]); err != nil {
		return Access{}, fmt.Errorf("client-key-data: %w", err)
	}
	if _, err := tls.X509KeyPair(a.Certificate, a.Key); err != nil {
		return Access{}, fmt.Errorf("certificate and key of the client: %w", err)
	}
	return a, nil
}

// others are the keys of an entry beside those given.
func others(entry map[string]any, but ...string) []string {
	var all []string
	for key := range entry {
		if !slices.Contains(but, key) {
			all = append(all, key)
		}
	}
	return all
}

// isServer reports whether an address is of the form https://HOST:PORT and says nothing else.
func isServer(address string) bool {
	hostPort, ok := strings.CutPrefix(address, "https://")
	host, port, err := net.SplitHostPort(hostPort)
	if !ok || err != nil || host == "" || strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`/?#@\%"'`, r) }) {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

// blocks decodes a field that holds PEM in base64, and refuses anything between the blocks.
func blocks(field any) ([]*pem.Block, error) {
	text, ok := field.(string)
	if !ok || text == "" {
		return nil, errors.New("it is missing")
	}
	rest, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	var all []*pem.Block
	for rest = bytes.TrimSpace(rest); len(rest) > 0; rest = bytes.TrimSpace(rest) {
		if !bytes.HasPrefix(rest, []byte("-----BEGIN ")) {
			return nil, errors.New("it holds more than PEM blocks")
		}
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, errors.New("it is no PEM")
		}
		all = append(all, &pem.Block{Type: block.Type, Bytes: block.Bytes}) // without headers
	}
	if len(all) == 0 {
		return nil, errors.New("it is empty")
	}
	return all, nil
}

func certificates(field any) ([]byte, error) {
	all, err := blocks(field)
	if err != nil {
		return nil, err
	}
	var out []byte
	for _, block := range all {
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("it holds a block %q", block.Type)
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return nil, err
		}
		out = append(out, pem.EncodeToMemory(block)...)
	}
	return out, nil
}

func privateKey(field any) ([]byte, error) {
	all, err := blocks(field)
	if err != nil {
		return nil, err
	}
	if len(all) != 1 || !slices.Contains([]string{"RSA PRIVATE KEY", "EC PRIVATE KEY", "PRIVATE KEY"}, all[0].Type) {
		return nil, errors.New("it is not one private key")
	}
	return pem.EncodeToMemory(all[0]), nil
}

// Kubeconfig writes a kubeconfig with nothing in it but this access: cluster, user and context have
// the name.
func (a Access) Kubeconfig(name string) ([]byte, error) {
	if !isServer(a.Server) {
		return nil, fmt.Errorf("writing a kubeconfig: %q is not the address of an API server", a.Server)
	}
	return yaml.Marshal(kubeconfig{
		APIVersion: "v1", Kind: "Config", CurrentContext: name,
		Clusters: []clusterEntry{{name, map[string]any{"server": a.Server, "certificate-authority-data": a.CA}}},
		Users:    []userEntry{{name, map[string]any{"client-certificate-data": a.Certificate, "client-key-data": a.Key}}},
		Contexts: []contextEntry{{name, map[string]string{"cluster": name, "user": name}}},
	})
}

// Client returns a Client that has this access.
func (a Access) Client(o Options) (*Client, error) {
	if !isServer(a.Server) {
		return nil, fmt.Errorf("reading the kubeconfig: %q is not the address of an API server", a.Server)
	}
	return New(&rest.Config{Host: a.Server, TLSClientConfig: rest.TLSClientConfig{CAData: a.CA, CertData: a.Certificate, KeyData: a.Key}}, o)
}

// FromKubeconfig returns a Client for the current context of a kubeconfig file's content.
func FromKubeconfig(kubeconfig []byte, o Options) (*Client, error) {
	access, err := ReadAccess(kubeconfig, "")
	if err != nil {
		return nil, err
	}
	return access.Client(o)
}
