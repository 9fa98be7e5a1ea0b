package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/state"
)

func (a *app) kubeconfigCommand() *cobra.Command {
	var path, serve bool
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
			if path && serve {
				return clierr.New(clierr.Usage, "--path and --serve exclude each other")
			}
			s, err := a.entered(cmd.Context())
			if err != nil {
				return err
			}
			if _, err := s.cluster.Client(cmd.Context()); err != nil {
				return clierr.New(clierr.Unknown, "%w", err)
			}
			file := s.files.Path(state.KubeconfigFile)
			if serve {
				return s.serveKubeconfig(cmd.Context(), file)
			}
			if !s.published(cmd.Context()) {
				fmt.Fprintln(a.Err, "Its server does not answer at an address of this machine: it is reached inside `labctl shell`, or while `labctl kubeconfig --serve` runs.")
			}
			if path {
				return a.print(map[string]string{"path": file}, func() { a.printer().Verbatim(file) })
			}
			raw, err := os.ReadFile(file)
			if err != nil {
				return clierr.New(clierr.Unknown, "reading the lab's kubeconfig: %w", err).WithNext("`labctl up` writes it again.")
			}
			return a.print(map[string]string{"path": file, "kubeconfig": string(raw)}, func() { a.printer().Verbatim(string(raw)) })
		},
	}
	cmd.Flags().BoolVar(&path, "path", false, "print only where it lies")
	cmd.Flags().BoolVar(&serve, "serve", false, "keep a port open that leads to a remote lab's API server, until Ctrl-C")
	return cmd
}

// errServed: --serve was ended as it is meant to be.
var errServed = errors.New("served until it was ended")

// serveKubeconfig keeps a port open that leads to the API server until ctx ends or the connection does.
func (s *session) serveKubeconfig(ctx context.Context, file string) error {
	a := s.app
	if s.published(ctx) {
		fmt.Fprintln(a.Err, "Lab", s.lab.Name, "is on this machine's own Docker: its API server needs no port kept open.")
		return a.printServed(file)
	}
	if s.remote != nil {
		if _, _, err := s.remote.open(ctx); clierr.NextOf(err) != "" {
			return err
		} else if err != nil {
			return clierr.New(clierr.Unknown, "reaching the host of lab %s: %w", s.lab.Name, err).WithNext("`labctl status %s` says how it is.", s.lab.Name)
		}
		defer s.remote.Close()
	}
	serving, cancel := context.WithCancel(ctx)
	defer cancel()
	forwarded, err := s.forwardAPI(serving, s.sayUnreachable())
	if err != nil {
		return err
	}
	defer os.Remove(forwarded)
	if err := a.printServed(forwarded); err != nil {
		return err
	}
	fmt.Fprintln(a.Err, "The API server of lab", s.lab.Name, "answers there until Ctrl-C.")
	<-ctx.Done()
	return errServed
}

// sayUnreachable returns what says that the host cannot be reached, though not for each of a client's many
// attempts. The next attempt may succeed, so nothing ends.
func (s *session) sayUnreachable() func(error) {
	var mu sync.Mutex
	var said time.Time
	return func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if now := s.app.now(); now.Sub(said) > 10*time.Second {
			said = now
			s.app.messages().Problem(clierr.New(clierr.Unknown, "reaching the API server of lab %s: %w", s.lab.Name, err).
				WithNext("The next request tries again; `labctl status %s` says how the host is.", s.lab.Name))
		}
	}
}

// printServed says where the kubeconfig is, as a line for the shell.
func (a *app) printServed(file string) error {
	return a.print(map[string]string{"path": file}, func() { a.printer().Verbatim("export KUBECONFIG=" + shellescape.Quote(file)) })
}
