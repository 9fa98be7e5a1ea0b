package kube

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	apiv1 "k8s.io/client-go/tools/clientcmd/api/v1"
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
	// Ignored are the fields of the two entries that were not taken, sorted, and a word for unknown ones anywhere.
	Ignored []string
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
	conf, err := clientcmd.Load(raw)
	if err != nil {
		return Access{}, err
	}
	at := &api.Context{Cluster: name, AuthInfo: name}
	if name == "" {
		if at = conf.Contexts[conf.CurrentContext]; at == nil {
			return Access{}, errors.New("it has no current context")
		}
	}
	cluster, user := conf.Clusters[at.Cluster], conf.AuthInfos[at.AuthInfo]
	if cluster == nil || user == nil {
		return Access{}, fmt.Errorf("it lacks the cluster %q or the user %q", at.Cluster, at.AuthInfo)
	}
	a := Access{Ignored: append(others(cluster, "server", "certificate-authority-data"), others(user, "client-certificate-data", "client-key-data")...)}
	if err := yaml.UnmarshalStrict(raw, &apiv1.Config{}); err != nil {
		a.Ignored = append(a.Ignored, "what client-go does not know")
	}
	slices.Sort(a.Ignored)
	if isServer(cluster.Server) {
		a.Server = cluster.Server
	}
	if a.CA, err = certificates(cluster.CertificateAuthorityData); err != nil {
		return Access{}, fmt.Errorf("certificate-authority-data: %w", err)
	}
	if a.Certificate, err = certificates(user.ClientCertificateData); err != nil {
		return Access{}, fmt.Errorf("client-certificate-data: %w", err)
	}
	if a.Key, err = privateKey(user.ClientKeyData); err != nil {
		return Access{}, fmt.Errorf("client-key-data: %w", err)
	}
	if _, err := tls.X509KeyPair(a.Certificate, a.Key); err != nil {
		return Access{}, fmt.Errorf("certificate and key of the client: %w", err)
	}
	return a, nil
}

// others are the fields that an entry sets beside those given.
func others(entry any, but ...string) []string {
	raw, err := json.Marshal(entry)
	var set map[string]any
	if err != nil || json.Unmarshal(raw, &set) != nil {
		return []string{"what cannot be written"}
	}
	return slices.DeleteFunc(slices.Collect(maps.Keys(set)), func(field string) bool { return slices.Contains(but, field) })
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

// blocks decodes a field that holds PEM, and refuses anything between the blocks.
func blocks(field []byte) ([]*pem.Block, error) {
	var all []*pem.Block
	for rest := bytes.TrimSpace(field); len(rest) > 0; rest = bytes.TrimSpace(rest) {
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
		return nil, errors.New("it is missing")
	}
	return all, nil
}

func certificates(field []byte) ([]byte, error) {
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

func privateKey(field []byte) ([]byte, error) {
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
	return clientcmd.Write(api.Config{
		CurrentContext: name,
		Clusters:       map[string]*api.Cluster{name: {Server: a.Server, CertificateAuthorityData: a.CA}},
		AuthInfos:      map[string]*api.AuthInfo{name: {ClientCertificateData: a.Certificate, ClientKeyData: a.Key}},
		Contexts:       map[string]*api.Context{name: {Cluster: name, AuthInfo: name}},
	})
}

// Client returns a Client that has this access.
func (a Access) Client(o Options) (*Client, error) {
	if !isServer(a.Server) {
		return nil, fmt.Errorf("reading the kubeconfig: %q is not the address of an API server", a.Server)
	}
	return New(&rest.Config{Host: a.Server, TLSClientConfig: rest.TLSClientConfig{CAData: a.CA, CertData: a.Certificate, KeyData: a.Key}}, o)
}
