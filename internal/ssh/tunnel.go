package ssh

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"

	xssh "golang.org/x/crypto/ssh"
)

// DialContext connects to an address as seen from the host, through this connection. The network is
// "tcp" ("tcp4", "tcp6"; the host resolves the name) or "unix" (the address is a path). It fits
// kube.Options.Dial and http.Transport.DialContext. What it returns keeps deadlines, has CloseWrite, and
// ends with an error that wraps ErrLost, rather than io.EOF, when the SSH connection breaks. A refused
// connection wraps syscall.ECONNREFUSED.
func (c *Conn) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	kind, extra, err := openRequest(network, address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	type opened struct {
		channel xssh.Channel
		err     error
	}
	done := make(chan opened, 1)
	bound := time.NewTimer(c.target.start)
	go func() {
		defer bound.Stop()
		channel, requests, err := c.openChannel(kind, extra, bound.C)
		if err == nil {
			go xssh.DiscardRequests(requests)
		}
		done <- opened{channel, err}
	}()
	select {
	case got := <-done:
		if got.err != nil {
			return nil, fmt.Errorf("dialling %s %s through %s: %w", network, address, c, c.why(refusal(got.err)))
		}
		return newStream(c, got.channel, network, address), nil
	case <-ctx.Done():
		go func() {
			if got := <-done; got.err == nil {
				got.channel.Close()
			}
		}()
		return nil, fmt.Errorf("dialling %s %s through %s: %w", network, address, c, context.Cause(ctx))
	}
}

// openRequest returns the type and data of the channel to open.
func openRequest(network, address string) (kind string, extra []byte, err error) {
	switch network {
	case "unix":
		// PROTOCOL of OpenSSH, section 2.4.
		return "direct-streamlocal@openssh.com", xssh.Marshal(struct {
			Path, Reserved string
			Reserved2      uint32
		}{Path: address}), nil
	case "tcp", "tcp4", "tcp6":
		host, service, err := net.SplitHostPort(address)
		if err != nil {
			return "", nil, err
		}
		port, err := strconv.ParseUint(service, 10, 16)
		if err != nil || port == 0 {
			return "", nil, fmt.Errorf("port %q is not a number from 1 to 65535", service)
		}
		if host == "" {
			host = "localhost"
		}
		// RFC 4254, section 7.2. The originator is for the host's log only.
		return "direct-tcpip", xssh.Marshal(struct {
			Host   string
			Port   uint32
			Origin string
			From   uint32
		}{host, uint32(port), "127.0.0.1", 0}), nil
	}
	return "", nil, net.UnknownNetworkError(network)
}

// refusal gives sshd's words the error number that they stand for, which is what others look for.
func refusal(err error) error {
	for _, known := range []syscall.Errno{syscall.ECONNREFUSED, syscall.ENOENT, syscall.EACCES, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ETIMEDOUT} {
		if strings.Contains(strings.ToLower(err.Error()), known.Error()) {
			return fmt.Errorf("%w (%w)", known, err)
		}
	}
	return err
}
