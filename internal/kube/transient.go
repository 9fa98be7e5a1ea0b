package kube

import (
	"context"
	"errors"
	"io"
	"net"
	"regexp"
	"slices"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Unreachable reports whether err says that the API server did not answer, as opposed to answering
// no: nothing listens, a time ran out, or the server says that it cannot serve now.
func Unreachable(err error) bool {
	if err == nil {
		return false
	}
	var network net.Error
	return errors.As(err, &network) ||
		errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, context.DeadlineExceeded) ||
		apierrors.IsServiceUnavailable(err) || apierrors.IsTimeout(err) || apierrors.IsServerTimeout(err) ||
		apierrors.IsTooManyRequests(err) || apierrors.IsInternalError(err)
}

// Starting reports whether err may vanish by itself on a cluster that has just begun: the server
// does not answer yet, or one of the things that it needs for the request is made in a moment.
func Starting(err error) bool {
	return Unreachable(err) || apierrors.IsUnauthorized(err) ||
		apierrors.IsForbidden(err) && early.MatchString(message(err)) ||
		slices.Contains(OwnNamespaces, MissingNamespace(err))
}

// early matches the refusals (403) that pass by themselves: the user's rights are not bound yet (kubeadm binds
// them after the server is up), a namespace's service account or a quota's count is not made yet, the
// server's own stores are not filled yet. Every other one is meant.
var early = regexp.MustCompile(`User "[^"]*" cannot |error looking up service account|status unknown for quota|not yet ready to handle request`)

// OwnNamespaces are those that every cluster makes by itself when it starts.
var OwnNamespaces = []string{"default", "kube-system", "kube-public", "kube-node-lease"}

var noNamespace = regexp.MustCompile(`namespaces "([^"]+)" not found`)

// MissingNamespace returns the namespace for the lack of which err refuses a request; "" for any other error.
func MissingNamespace(err error) string {
	if found := noNamespace.FindStringSubmatch(message(err)); found != nil && apierrors.IsNotFound(err) {
		return found[1]
	}
	return ""
}

// denials match an admission webhook's or policy's no, which has a status code of its own choice.
var denials = regexp.MustCompile(`^admission webhook .* denied the request|ValidatingAdmissionPolicy .* denied request`)

// Denied reports whether the API server does not let an object in (pod security, a quota, a webhook, a
// policy), as it will say again when it is asked again.
func Denied(err error) bool {
	return (apierrors.IsForbidden(err) || denials.MatchString(message(err))) && !Starting(err)
}

// message returns what the API server itself says in err.
func message(err error) string {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return status.Status().Message
	}
	return ""
}

// Retry runs do until it succeeds, fails with an error that is not transient (as the second
// function says, such as Starting), or ctx ends; then it returns the last error.
func Retry(ctx context.Context, transient func(error) bool, do func(context.Context) error) error {
	pause := firstPause
	for {
		err := do(ctx)
		if err == nil || !transient(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
		pause = min(2*pause, maxPause)
	}
}
