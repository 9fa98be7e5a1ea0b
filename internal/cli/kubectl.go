package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/lab"
)

type kubectlOptions struct {
	*app
	args []string
}

func newKubectlCommand(a *app, run func(context.Context, *kubectlOptions) error) *cobra.Command {
	return &cobra.Command{
		Use:   "kubectl -- ARGS...",
		Short: "Run kubectl against the lab",
		Long: `Kubectl runs kubectl with the lab's kubeconfig: the one on your PATH when it is within one minor
version of the cluster (https://kubernetes.io/releases/version-skew-policy/#kubectl), else that of
the image which labctl made the nodes from. Where that is not labctl's own image, or the lab is on a
host, it is the one in the node, run there: local files that -f names are handed over.`,
		Example: "  labctl kubectl -- get pods\n  labctl kubectl -- logs --previous deploy/crashloop",
		Args:    between(1, 1<<20, "kubectl's arguments after --"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(cmd.Context(), &kubectlOptions{a, args})
		},
	}
}

func runKubectl(ctx context.Context, o *kubectlOptions) error {
	l, err := o.reopen(ctx, lab.Outline)
	if err != nil {
		return err
	}
	env, err := l.Env(ctx)
	if err != nil {
		return err
	}
	defer env.Close()
	return o.runIn(ctx, env.Environ, o.Process.Out, append([]string{"kubectl"}, o.args...)...)
}
