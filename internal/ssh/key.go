package ssh

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	xssh "golang.org/x/crypto/ssh"
)

// GenerateKey makes a key pair (ed25519). It returns the private key in PEM (OpenSSH's format, no
// passphrase) and the public one as a line for authorized_keys, without a newline.
func GenerateKey() (private PrivateKey, authorized string, err error) {
	public, secret, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, "", fmt.Errorf("making an SSH key: %w", err)
	}
	block, err := xssh.MarshalPrivateKey(secret, "labctl")
	if err != nil {
		return nil, "", fmt.Errorf("encoding an SSH key: %w", err)
	}
	key, err := xssh.NewPublicKey(public)
	if err != nil {
		return nil, "", fmt.Errorf("encoding an SSH key: %w", err)
	}
	return pem.EncodeToMemory(block), keyLine(key), nil
}

// PublicKey returns the public half of a private key, as GenerateKey returns it.
func PublicKey(private PrivateKey) (authorized string, err error) {
	signer, err := xssh.ParsePrivateKey(private)
	if err != nil {
		return "", fmt.Errorf("it is no private key without a passphrase: %w", err)
	}
	return keyLine(signer.PublicKey()), nil
}

// Fingerprint returns a public key's fingerprint as ssh-keygen -l prints it, "SHA256:…".
func Fingerprint(line string) (string, error) {
	key, err := parseKey(line)
	if err != nil {
		return "", err
	}
	return xssh.FingerprintSHA256(key), nil
}

func parseKey(line string) (xssh.PublicKey, error) {
	key, _, _, rest, err := xssh.ParseAuthorizedKey([]byte(line))
	if err != nil {
		return nil, fmt.Errorf("not a public key in the form of authorized_keys: %w", err)
	}
	if len(strings.TrimSpace(string(rest))) > 0 {
		return nil, errors.New("more than one line where one public key is expected")
	}
	return key, nil
}

func keyLine(key xssh.PublicKey) string {
	return strings.TrimSpace(string(xssh.MarshalAuthorizedKey(key)))
}
