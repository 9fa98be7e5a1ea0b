package kube

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
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
// does not answer yet, the user's rights are not bound yet (kubeadm binds them after the server is
// up), the namespace or its default service account is not made yet.
func Starting(err error) bool {
	if Unreachable(err) || apierrors.IsUnauthorized(err) || apierrors.IsForbidden(err) {
		return true
	}
	return apierrors.IsNotFound(err) && strings.Contains(err.Error(), "namespaces")
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
