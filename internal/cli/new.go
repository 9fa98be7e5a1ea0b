package cli

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/plainfile"
	"github.com/labctl/labctl/internal/view"
	"github.com/labctl/labctl/scenarios/draft"
)

type newOptions struct {
	*app
	name   string
	of     string // its type; empty: a break
	from   string // the folder of an exercise of another form; empty: the example
	format string // of what lies in from; empty: by its files
	dir    string // empty: ./NAME
}

func newNewCommand(a *app, run func(context.Context, *newOptions) error) *cobra.Command {
	o := &newOptions{app: a}
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Make a scenario's folder: a small one that works, or a draft from an exercise",
		Long: `New makes the folder of a scenario of your own: a small one that works and is explained, for you to
change. With --from it drafts one from an exercise that you have: manifests and scripts, a k8s-bench
task.yaml, a kubeasy challenge.yaml, or a Killercoda index.json. What could not be carried over stands
at the top of its scenario.hcl. Nothing of the exercise is run, and its folder stays as it is.`,
		Example:               "  labctl scenario new crash2\n  labctl scenario new crash2 --type task\n  labctl scenario new shop --from ~/exercises/shop --dir scenarios/shop",
		Args:                  exactly(1, "one name"),
		ValidArgsFunction:     cobra.NoFileCompletions,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name = args[0]
			if o.from != "" && o.of != "" {
				return clierr.New(clierr.Usage, "--type is of the example; of an exercise it follows from what that seeds")
			}
			if o.from == "" && o.format != "" {
				return clierr.New(clierr.Usage, "--format says what lies in a folder: give that too, by --from")
			}
			return run(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.of, "type", "", "the type of the example: break, task or demo (default: break)")
	cmd.Flags().StringVar(&o.from, "from", "", "make a draft from the exercise in this folder")
	cmd.Flags().StringVar(&o.format, "format", "", "its form: "+strings.Join(draft.Formats(), ", ")+" (default: by its files)")
	cmd.Flags().StringVar(&o.dir, "dir", "", "where to make the folder (default: ./NAME)")
	_ = cmd.RegisterFlagCompletionFunc("type", cobra.FixedCompletions([]string{"break", "task", "demo"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(draft.Formats(), cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.MarkFlagDirname("from")
	_ = cmd.MarkFlagDirname("dir")
	return cmd
}

func runNew(_ context.Context, o *newOptions) error {
	d, err := o.draft()
	if err != nil {
		return err
	}
	folder := o.dir
	if folder == "" {
		folder = "./" + o.name
	}
	if err := d.Write(folder); err != nil {
		return err
	}
	next := "labctl scenario test " + quoted(folder)
	files := []string{}
	for _, f := range d.Files {
		files = append(files, f.Path)
	}
	result := map[string]any{
		"scenario": d.Name, "type": d.Type, "folder": folder, "format": d.Format, "files": files,
		"carried": notes(d.Carried), "open": notes(d.Open), "next": next,
	}
	return o.print(result, func(p *view.Printer) {
		p.Title("%s: scenario %s (%s)", folder, d.Name, d.Type)
		p.List(view.Item{Mark: view.Good, Name: "made", Text: strings.Join(files, ", ")})
		p.List(noteItems(view.Good, d.Carried)...)
		p.List(noteItems(view.Uncertain, d.Open)...)
		if len(d.Open) > 0 {
			p.Text("What is marked ? is for you to do: it stands at the top of %s, with what does it.", filepath.Join(folder, "scenario.hcl"))
		}
		p.Text("Next, on a lab that is up: %s", next)
	})
}

// draft is the example, or what was made of the exercise.
func (o *newOptions) draft() (*draft.Draft, error) {
	if o.from == "" {
		of := labfile.Type(o.of)
		if of == "" {
			of = labfile.Break
		}
		return draft.Skeleton(o.name, of)
	}
	if info, err := os.Stat(o.from); err != nil {
		return nil, clierr.New(clierr.Usage, "--from %w", err)
	} else if !info.IsDir() {
		return nil, clierr.New(clierr.Usage, "--from %s is no folder", o.from)
	}
	return draft.Import(o.name, plainfile.Folder(o.from), o.format)
}

// quoted is a path as a shell takes it.
func quoted(path string) string {
	if strings.ContainsAny(path, " \t'\"\\$`&|;<>()*?[]{}~#!\n") {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}

// notes is never null in JSON.
func notes(all []draft.Note) []draft.Note {
	if all == nil {
		return []draft.Note{}
	}
	return all
}

func noteItems(mark view.Mark, all []draft.Note) (items []view.Item) {
	for _, n := range all {
		items = append(items, view.Item{Mark: mark, Name: n.Place(), Text: n.Text})
	}
	return items
}
