package cli

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/lab"
	"github.com/labctl/labctl/internal/view"
)

type kubeconfigOptions struct {
	*app
	path, serve bool
}

func newKubeconfigCommand(a *app, run func(context.Context, *kubeconfigOptions) error) *cobra.Command {
	o := &kubeconfigOptions{app: a}
	cmd := &cobra.Command{
		Use:   "kubeconfig [--path | --serve]",
		Short: "Print the lab's kubeconfig; yours is never touched",
		Long: `Kubeconfig prints the kubeconfig of the lab's cluster. It holds an administrator's key. Your own
~/.kube/config is not touched; to use the lab's in one shell:

  export KUBECONFIG=$(labctl kubeconfig --path)

The API server of a lab on an EC2 host is reached only through SSH. With --serve a port of this
machine leads to it for as long as the command runs; it prints the line to type in other shells.
Inside "labctl shell" none of this is needed.`,
		Example: "  labctl kubeconfig > lab.kubeconfig\n  labctl kubeconfig --serve",
		Args:    exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.path && o.serve {
				return clierr.New(clierr.Usage, "--path and --serve exclude each other")
			}
			return run(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.path, "path", false, "print only where it lies")
	cmd.Flags().BoolVar(&o.serve, "serve", false, "keep a port open that leads to a remote lab's API server, until Ctrl-C")
	return cmd
}

func runKubeconfig(ctx context.Context, o *kubeconfigOptions) error {
	l, err := o.reopen(ctx, lab.Outline)
	if err != nil {
		return err
	}
	file, published, err := l.Kubeconfig(ctx)
	switch {
	case err != nil:
		return err
	case o.serve && published:
		o.say("Lab %s is on this machine's own Docker: its API server needs no port kept open.", l.Name())
		return o.printExport(file)
	case o.serve:
		return o.keepServing(ctx, l)
	case !published:
		o.say("Its server does not answer at an address of this machine: it is reached inside `labctl shell`, or while `labctl kubeconfig --serve` runs.")
	}
	if o.path {
		return o.print(map[string]string{"path": file}, func(p *view.Printer) { p.Verbatim(file) })
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return clierr.New(clierr.Inconclusive, "reading the lab's kubeconfig: %w", err).WithNext("`labctl up` writes it again.")
	}
	return o.print(map[string]string{"path": file, "kubeconfig": string(raw)}, func(p *view.Printer) { p.Verbatim(string(raw)) })
}

// errServed: --serve was ended as it is meant to be.
var errServed = errors.New("served until it was ended")

// keepServing keeps a port open that leads to the API server until ctx ends.
func (o *kubeconfigOptions) keepServing(ctx context.Context, l *lab.Lab) error {
	defer l.Close()
	serving, cancel := context.WithCancel(ctx)
	defer cancel()
	file, err := l.Serve(serving, o.sayUnreachable(l.Name()))
	if err != nil {
		return err
	}
	defer os.Remove(file)
	if err := o.printExport(file); err != nil {
		return err
	}
	o.say("The API server of lab %s answers there until Ctrl-C.", l.Name())
	<-ctx.Done()
	return errServed
}

// sayUnreachable returns what says that the host cannot be reached, though not for each of a client's many
// attempts. The next attempt may succeed, so nothing ends.
func (o *kubeconfigOptions) sayUnreachable(name string) func(error) {
	var mu sync.Mutex
	var said time.Time
	return func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if now := time.Now(); now.Sub(said) > 10*time.Second {
			said = now
			o.messages().Problem(clierr.New(clierr.Inconclusive, "reaching the API server of lab %s: %w", name, err).
				WithNext("The next request tries again; `labctl status %s` says how the host is.", name))
		}
	}
}

// printExport says where the kubeconfig is, as a line for the shell.
func (o *kubeconfigOptions) printExport(file string) error {
	return o.print(map[string]string{"path": file}, func(p *view.Printer) { p.Verbatim("export KUBECONFIG=" + shellescape.Quote(file)) })
}
