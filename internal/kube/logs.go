package kube

import (
	"log/slog"

	"k8s.io/klog/v2"
)

// SilenceLogs ends client-go's logging to stderr, for the whole process. What it logs comes back as an error
// as well.
func SilenceLogs() { klog.SetSlogLogger(slog.New(slog.DiscardHandler)) }
