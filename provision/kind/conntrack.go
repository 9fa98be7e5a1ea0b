package kind

import (
	"context"
	"sync"

	"github.com/labctl/labctl/internal/state"
)

// awaitRules returns in a node when kube-proxy has written the rule of the API server's service, or after a
// minute. The rules' comments name the service (pkg/proxy/iptables of Kubernetes).
const awaitRules = `timeout 60 sh -c 'until iptables-save -t nat | grep -q "default/kubernetes:https cluster IP"; do sleep 0.3; done'`

// flushStaleConntrack has the nodes forget connections that nobody has answered, as soon as kube-proxy has written
// its rules. After a restart a pod such as CoreDNS is often up before kube-proxy; its first packet to the API
// server's service then leaves by the default route, and connection tracking sends every repetition after
// it, until the client gives up after 30 s. Once that is forgotten, the next repetition meets the rules.
//
// It only saves time (a third of a start or more), so what goes wrong with it is no error. The function that
// it returns ends it.
func (c *Cluster) flushStaleConntrack(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var nodes sync.WaitGroup
	for _, node := range c.NodeNames() {
		nodes.Go(func() {
			if _, err := c.Engine.Output(ctx, "exec", node, "sh", "-c", awaitRules); err != nil {
				return
			}
			act := state.Act{Verb: "docker exec", Object: node, Addr: c.Addr(), Detail: "conntrack"}
			// conntrack fails when there is none to forget.
			_, _ = c.Engine.Change(ctx, act, nil, "exec", node, "sh", "-c", "conntrack -D -p tcp --state SYN_SENT || true")
		})
	}
	return func() {
		cancel()
		nodes.Wait()
	}
}
