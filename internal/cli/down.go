package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
	"github.com/labctl/labctl/provision/ec2"
	"github.com/labctl/labctl/provision/kind"
	"github.com/labctl/labctl/provision/mirror"
)

func (a *app) downCommand() *cobra.Command {
	var region string
	cmd := &cobra.Command{
		Use:   "down [NAME|FILE]",
		Short: "Remove everything of a lab, and prove that it is gone",
		Long: `Down removes every container, volume and file of a lab, or its host on AWS with everything on it, and
looks whether that is so. It goes by the marks on what exists, so it works without the lab file and
without labctl's state: a lab that this machine does not remember is looked for on its Docker engine
and then, where AWS credentials are configured, in the regions of your AWS account.

Only the mirror's cache of images stays. With nothing up it does nothing and succeeds.`,
		Example:           "  labctl down\n  labctl down day10\n  labctl down day10 --region eu-central-1",
		Args:              between(0, 1, "at most one lab or lab file"),
		ValidArgsFunction: a.completeLabs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.down(cmd.Context(), args, region)
		},
	}
	cmd.Flags().StringVar(&region, "region", "", "where on AWS to look for a lab that this machine does not remember (default: all regions)")
	return cmd
}

// receipt is what down removed.
type receipt struct {
	Lab        string   `json:"lab"`
	Removed    []string `json:"removed"`
	Seconds    float64  `json:"seconds"`
	NothingUp  bool     `json:"nothing_up,omitempty"`
	KeptVolume []string `json:"kept_volumes,omitempty"`
	Spent      float64  `json:"spent_usd,omitempty"`  // on a host on AWS, without taxes
	Looked     []string `json:"looked_at,omitempty"`  // where nothing was found
	NotLooked  string   `json:"not_looked,omitempty"` // where else it might be, and why nobody looked
}

func (a *app) down(ctx context.Context, args []string, region string) error {
	began := a.now()
	owner, err := a.whose()
	if err != nil {
		return err
	}
	name, err := a.downTarget(ctx, args, owner)
	if err != nil {
		return err
	}
	if name == "" {
		home, err := a.home()
		if err != nil {
			return err
		}
		if err := home.Tidy(); err != nil {
			return clierr.New(clierr.Leftover, "%w", err)
		}
		return a.print(receipt{NothingUp: true, Removed: []string{}}, func() { fmt.Fprintln(a.out(), "Nothing is up.") })
	}
	st, err := a.known(name)
	if err != nil {
		return err
	}
	switch {
	case st != nil && len(st.Host) > 0:
		return a.downHost(ctx, st, region, began)
	case st != nil && region != "":
		return clierr.New(clierr.Usage, "lab %s is on this machine's own Docker, not in %s", name, region).WithNext("Leave --region out.")
	}
	s, err := a.marked(ctx, name, owner)
	if err != nil {
		return err
	}
	release, err := s.holdSettled(ctx, false) // what is about to stop is about to go
	if err != nil {
		return err
	}
	defer release()
	var kept []string // down leaves it alone, so it can be asked for at any time
	var kerr error
	var asked sync.WaitGroup
	asking, stop := context.WithCancel(ctx)
	defer stop()
	asked.Go(func() {
		kept, kerr = s.engine.Volumes(asking, mirror.LabelCache+"=mirror", provision.LabelOwner+"="+owner)
	})
	removed, err := s.destroy(ctx, provision.Ownership{Lab: name, Owner: owner})
	if err != nil {
		stop() // it has said that it does not answer
	}
	asked.Wait()
	if away := errors.Is(err, docker.ErrNoEngine); st == nil && (err == nil && len(removed) == 0 || away || region != "") {
		return a.downUnknown(ctx, s, search{lab: name, region: region, removed: removed, engine: err, began: began})
	}
	if err != nil {
		return err
	}
	if err := s.files.Remove(); err != nil {
		return clierr.New(clierr.Leftover, "%w", err)
	}
	if kerr != nil {
		return kerr
	}
	return a.printReceipt(receipt{Lab: name, Removed: removed, KeptVolume: kept}, began)
}

// printReceipt prints what down did. Before that the lab's files are gone.
func (a *app) printReceipt(r receipt, began time.Time) error {
	took := a.now().Sub(began)
	r.Seconds = took.Seconds()
	return a.print(r, func() {
		if len(r.Removed) == 0 {
			fmt.Fprintf(a.out(), "Nothing of lab %s exists.\n", r.Lab)
			if len(r.Looked) > 0 {
				fmt.Fprintf(a.out(), "Looked at: %s\n", strings.Join(r.Looked, ", "))
			}
			if r.NotLooked != "" {
				fmt.Fprintln(a.out(), r.NotLooked)
			}
			if home, err := a.home(); err == nil {
				if others, _ := home.Labs(); len(others) > 0 {
					fmt.Fprintf(a.out(), "Other labs are up: %s\n", strings.Join(others, ", "))
				}
			}
			return
		}
		fmt.Fprintf(a.out(), "Lab %s is gone after %s. Removed and seen to be gone:\n", r.Lab, count.Elapsed(took))
		for _, what := range r.Removed {
			fmt.Fprintf(a.out(), "  %s\n", what)
		}
		if len(r.KeptVolume) > 0 {
			fmt.Fprintf(a.out(), "Kept, so that the next lab starts fast: volume %s (the mirror's images)\n", strings.Join(r.KeptVolume, ", "))
		}
		if r.Spent > 0 {
			fmt.Fprintf(a.out(), "It has cost about $%.2f (prices of %s, without taxes).\n", r.Spent, ec2.PricesAsOf)
		}
	})
}

// known returns the state of a lab; nil when there is none or it cannot be read, and the marks have to do.
func (a *app) known(name string) (*state.State, error) {
	home, err := a.home()
	if err != nil {
		return nil, err
	}
	st, err := home.Lab(name).Load()
	switch {
	case err == nil:
		_, err = hostOf(st)
		if err != nil {
			return nil, nil //nolint:nilerr // damaged
		}
		return st, nil
	case errors.Is(err, fs.ErrNotExist), clierr.ClassOf(err) == clierr.Failed:
		return nil, nil
	}
	return nil, err
}

// downTarget finds out which lab is meant: a name, a file (which may be gone), or without either the
// only one that is up, by state or by marks. Empty: nothing is up.
func (a *app) downTarget(ctx context.Context, args []string, owner string) (string, error) {
	home, err := a.home()
	if err != nil {
		return "", err
	}
	known, err := home.Labs()
	if err != nil {
		return "", err
	}
	if len(args) == 0 && a.lab != "" {
		return a.lab, nil
	}
	if len(args) == 1 {
		return a.labOf(ctx, args[0], home, known)
	}
	engine, _ := a.docker()
	marked, err := engine.Containers(ctx, provision.LabelOwner+"="+owner)
	switch {
	case err != nil && len(known) == 0:
		return "", engineAway(err)
	case err == nil:
		for _, c := range marked {
			known = append(known, c.Labels[provision.LabelLab])
		}
	}
	slices.Sort(known)
	known = slices.Compact(known)
	switch len(known) {
	case 0:
		return "", nil
	case 1:
		return known[0], nil
	}
	return "", clierr.New(clierr.Usage, "several labs are up: %s", strings.Join(known, ", ")).WithNext("Say which: labctl down NAME.")
}

// labOf finds the lab that an argument means.
func (a *app) labOf(ctx context.Context, arg string, home state.Home, known []string) (string, error) {
	if slices.Contains(known, arg) {
		return arg, nil
	}
	abs, _ := filepath.Abs(arg)
	var fromFile []string
	for _, name := range known {
		st, err := home.Lab(name).Load()
		if err == nil && (st.File == abs || filepath.Base(st.File) == filepath.Base(arg) && strings.HasPrefix(st.File, "embedded:")) {
			fromFile = append(fromFile, name)
		}
	}
	switch {
	case len(fromFile) == 1:
		return fromFile[0], nil
	case len(fromFile) > 1:
		return "", clierr.New(clierr.Usage, "several labs were made from %s: %s", arg, strings.Join(fromFile, ", ")).WithNext("Say which: labctl down NAME.")
	}
	if !strings.HasSuffix(arg, ".hcl") && !strings.ContainsRune(arg, filepath.Separator) && arg != labfile.Stdin {
		return arg, nil // its state may be lost; the marks will tell
	}
	src, err := a.find(ctx, arg)
	if err != nil {
		return "", err
	}
	lab, err := a.parse(src, parseOptions{local: true})
	if err != nil {
		return "", err
	}
	return lab.Name, nil
}

// marked opens a lab by its marks alone.
func (a *app) marked(ctx context.Context, name, owner string) (*session, error) {
	home, err := a.home()
	if err != nil {
		return nil, err
	}
	files := home.Lab(name)
	st, err := files.Load()
	switch {
	case err == nil && st.Owner != owner:
		return nil, foreignLab(name, st.Owner, owner)
	case err == nil:
	case errors.Is(err, fs.ErrNotExist), clierr.ClassOf(err) == clierr.Failed:
		st = &state.State{Lab: name, Owner: owner} // lost or damaged: the marks suffice
	default:
		return nil, err
	}
	lab := &labfile.Lab{Name: name, Cluster: &labfile.Cluster{Type: "kind", Name: st.Cluster.Name}}
	return a.open(ctx, lab, files, st)
}

// destroy removes every cluster, the mirror and every volume that carries the marks, and returns
// what there was.
func (s *session) destroy(ctx context.Context, marks provision.Ownership) ([]string, error) {
	containers, volumes, err := s.engine.Labelled(ctx, marks.Labels()...)
	if err != nil {
		return nil, engineAway(err)
	}
	clusters := clustersOf(containers, s.lab.Cluster.Name)
	if len(clusters) == 0 && len(containers) == 0 && len(volumes) == 0 {
		return nil, nil
	}
	if records, err := s.engine.Journal.Records(); err != nil || len(records) == 0 {
		// Something of the lab is there and nothing says what was being done to it.
		if err := s.engine.AwaitLate(ctx, nil, marks.Labels()...); err != nil {
			return nil, engineAway(err)
		}
	}
	s.mirror = &mirror.Mirror{Ownership: marks, Engine: s.engine}
	resources := []provision.Resource{s.mirror}
	for _, name := range clusters {
		resources = append(resources, s.clusterNamed(name, containers))
	}
	graph, err := provision.NewGraph(resources...)
	if err != nil {
		return nil, err
	}
	v := s.app.view()
	err = graph.Destroy(ctx, v)
	v.Close()
	if err != nil {
		return nil, err
	}
	if err := s.removeStrays(ctx, marks); err != nil {
		return nil, err
	}
	var removed []string
	for _, c := range containers {
		removed = append(removed, "container "+c.Name)
	}
	for _, v := range volumes {
		removed = append(removed, "volume "+v)
	}
	if _, err := s.files.Load(); err == nil {
		removed = append(removed, "files in "+s.files.Dir())
	}
	return removed, nil
}

// clusterNamed is a cluster that is known by its marks alone; it can be destroyed and nothing else. seen are
// the lab's containers.
func (s *session) clusterNamed(name string, seen []docker.Container) *kind.Cluster {
	nodes := slices.DeleteFunc(slices.Clone(seen), func(c docker.Container) bool { return c.Labels[provision.LabelCluster] != name })
	return &kind.Cluster{
		Spec: &labfile.Cluster{Type: "kind", Name: name}, Ownership: s.cluster.Ownership, Engine: s.engine,
		Files: s.files, State: s.state, Seen: nodes,
	}
}

// removeStrays removes what carries the lab's marks and belongs to no cluster any more.
func (s *session) removeStrays(ctx context.Context, marks provision.Ownership) error {
	_, err := s.engine.Clear(ctx, "lab."+marks.Lab, nil, marks.Labels()...)
	if errors.Is(err, docker.ErrNoEngine) {
		return engineAway(err)
	}
	return err
}

// clustersOf lists the clusters that containers belong to; recorded is the one that the state knows,
// whose containers may be gone while their volumes are not.
func clustersOf(containers []docker.Container, recorded string) []string {
	var names []string
	if recorded != "" {
		names = append(names, recorded)
	}
	for _, c := range containers {
		if name := c.Labels[provision.LabelCluster]; name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func engineAway(err error) error {
	return clierr.New(clierr.Unknown, "%w", err).
		WithNext("Nothing was forgotten: start the Docker engine and run the same command again.")
}
