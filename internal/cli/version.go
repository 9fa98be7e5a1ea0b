package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/view"
)

func newVersionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print labctl's version",
		Args:  exactly(0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			v := map[string]string{"version": a.Version, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH}
			return a.print(v, func(*view.Printer) {
				fmt.Fprintf(a.Out, "labctl %s (%s, %s)\n", v["version"], v["go"], v["platform"])
			})
		},
	}
}
