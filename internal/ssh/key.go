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

// ParseHostKey reads a public key as authorized_keys or a .pub file has it, and returns it as labctl
// keeps it: type and key, without options and comment.
func ParseHostKey(line string) (string, error) {
	key, err := parseKey(line)
	if err != nil {
		return "", err
	}
	return keyLine(key), nil
}

// Fingerprint returns a public key's fingerprint as ssh-keygen -l prints it, "SHA256:…".
func Fingerprint(line string) (string, error) {
	key, err := parseKey(line)
	if err != nil {
		return "", err
	}
	return xssh.FingerprintSHA256(key), nil
}

// ErrHostKeysDiffer says that a console shows several host keys, so that none can be pinned.
var ErrHostKeysDiffer = errors.New("the console shows several different host keys")

// HostKeyFromConsole finds the host key that user-data wrote to the console: the public key that
// follows marker on one line, whatever the console puts before it. A line that is cut off or torn by
// another message is passed over: found is false until a whole one is there. A marker that is followed
// by different keys gives ErrHostKeysDiffer.
func HostKeyFromConsole(console, marker string) (key string, found bool, err error) {
	if marker == "" {
		return "", false, errors.New("looking for a host key on the console: no marker")
	}
	// Consoles end lines with \r\n, and a kernel message may begin with a bare \r.
	for _, line := range strings.FieldsFunc(console, func(r rune) bool { return r == '\n' || r == '\r' }) {
		_, rest, ok := strings.Cut(line, marker)
		if !ok {
			continue
		}
		// Only type and key: a comment, or what the console adds behind them, is not parsed.
		fields := strings.Fields(strings.TrimLeft(rest, " \t:="))
		if len(fields) < 2 {
			continue
		}
		next, err := ParseHostKey(fields[0] + " " + fields[1])
		switch {
		case err != nil:
		case !found:
			key, found = next, true
		case key != next:
			return "", false, ErrHostKeysDiffer
		}
	}
	return key, found, nil
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
