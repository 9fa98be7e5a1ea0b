package kube

import (
	"context"
	"fmt"
	"strconv"
)

// Logs returns what a container of a pod has logged, with previous its run before the one that is now. More than limit
// bytes are an error.
func (c *Client) Logs(ctx context.Context, namespace, pod, container string, previous bool, limit int64) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request := c.rest.Get().AbsPath("/api/v1/namespaces", namespace, "pods", pod, "log").
		Param("limitBytes", strconv.FormatInt(limit+1, 10)).Param("previous", strconv.FormatBool(previous))
	if container != "" {
		request = request.Param("container", container)
	}
	text, err := request.Do(ctx).Raw()
	switch {
	case err != nil:
		return "", fmt.Errorf("reading the log of pod/%s: %w", pod, err)
	case int64(len(text)) > limit:
		return "", fmt.Errorf("reading the log of pod/%s: it has more than %d KiB", pod, limit>>10)
	}
	return string(text), nil
}
