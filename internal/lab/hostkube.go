package lab

import (
	"bytes"
	"context"
	"os"
	"time"

	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/state"
)

// giveKubeconfig puts the cluster's kubeconfig into the login user's home on the lab's host, so that
// kubectl works after `labctl ssh` as the course prints it. One of the same cluster is left as it is:
// the learner may have chosen a namespace in it. The lab is whole without, so a failure is a warning.
func (l *Lab) giveKubeconfig(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	raw, err := os.ReadFile(l.files.Path(state.KubeconfigFile))
	if err == nil {
		// By standard input: an argument could be read by everybody on the host.
		err = l.remote.Run(bounded, command.Command{Argv: []string{"sh", "-c", keepKubeconfig}, Stdin: bytes.NewReader(raw)})
	}
	if err != nil && ctx.Err() == nil {
		l.m.Events.Emit(event.Notice{Warning: true, Text: "kubectl on the host has no kubeconfig (after `labctl ssh` that is; `labctl shell` is not affected): " + err.Error()})
	}
}

// keepKubeconfig knows a cluster by its certificate authority.
const keepKubeconfig = `set -e
umask 077
mkdir -p "$HOME/.kube"
cd "$HOME/.kube"
cat >labctl.new
if grep -qsF "$(grep certificate-authority-data: labctl.new)" config; then rm labctl.new; else mv labctl.new config; fi
`
