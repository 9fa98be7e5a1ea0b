package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
	"github.com/labctl/labctl/provision/ec2"
)

// downHost removes a lab that is on a host of its own: the host, and with it everything that is on it.
// Whether it can be logged in to does not matter.
func (a *app) downHost(ctx context.Context, st *state.State, region string, began time.Time) error {
	host, err := hostOf(st)
	if err != nil {
		return err
	}
	switch {
	case a.owner != "" && a.owner != st.Owner:
		return foreignLab(st.Lab, st.Owner, a.owner)
	case region != "" && region != host.Region:
		return clierr.New(clierr.Usage, "lab %s has its host in %s, not in %s", st.Lab, host.Region, region).WithNext("Leave --region out.")
	}
	home, err := a.home()
	if err != nil {
		return err
	}
	lab := &labfile.Lab{
		Name: st.Lab, Cluster: &labfile.Cluster{Type: "kind", Name: st.Cluster.Name},
		Host: &labfile.Host{Type: "ec2", Name: host.Name, Region: host.Region},
	}
	s, err := a.open(ctx, lab, home.Lab(st.Lab), st)
	if err != nil {
		return err
	}
	release, err := s.holdUnsettled(ctx) // nothing is asked of the engine that goes with the host
	if err != nil {
		return err
	}
	defer release()
	r := receipt{Lab: st.Lab, Spent: ec2.CostOf(*s.remote.State, a.now()).Spent}
	if r.Removed, err = s.destroyHost(ctx); err != nil {
		return a.nothingForgotten(err)
	}
	return a.forget(s, r, began)
}

// destroyHost removes the session's host and returns what there was.
func (s *session) destroyHost(ctx context.Context) ([]string, error) {
	graph, err := provision.NewGraph(s.remote)
	if err != nil {
		return nil, err
	}
	v := s.app.view()
	err = graph.Destroy(ctx, v)
	v.Close()
	return s.remote.Removed(), err
}

// forget removes the lab's files, now that nothing is left that they are about, and prints the receipt.
func (a *app) forget(s *session, r receipt, began time.Time) error {
	if _, err := os.Stat(s.files.Path(state.StateFile)); err == nil {
		r.Removed = append(r.Removed, "files in "+s.files.Dir())
	}
	if err := s.files.Remove(); err != nil {
		return clierr.New(clierr.Leftover, "%w", err)
	}
	return a.printReceipt(r, began)
}

// nothingForgotten says so where the error leaves it open.
func (a *app) nothingForgotten(err error) error {
	if clierr.ClassOf(err) == clierr.Unknown {
		fmt.Fprintln(a.Err, "Nothing was forgotten: the same command goes on from here.")
	}
	return err
}

// search is the looking for a lab that this machine does not remember.
type search struct {
	lab, region string
	removed     []string // what was found on this machine's engine, and is gone
	engine      error    // why that could not be asked
	began       time.Time
}

// downUnknown removes what AWS has of a lab that this machine does not remember. The caller has looked at
// the Docker engine and holds the lab's lock.
func (a *app) downUnknown(ctx context.Context, s *session, q search) error {
	if q.engine != nil && !errors.Is(q.engine, docker.ErrNoEngine) {
		return q.engine
	}
	r := receipt{Lab: q.lab, Removed: q.removed}
	if q.engine == nil {
		r.Looked = append(r.Looked, "this machine's Docker engine")
	}
	removed, looked, err := a.searchAWS(ctx, s, q)
	r.Removed, r.Looked = append(r.Removed, removed...), append(r.Looked, looked...)
	switch {
	case errors.Is(err, errNotSearched) && q.engine != nil:
		return q.engine
	case errors.Is(err, errNotSearched):
		r.NotLooked = err.Error()
	case err != nil && len(r.Removed) > 0:
		// Not "the lab is gone": more of it may be where nobody could look.
		fmt.Fprintf(a.Err, "Removed and seen to be gone: %s\n", strings.Join(r.Removed, ", "))
		return a.nothingForgotten(err)
	case err != nil:
		return a.nothingForgotten(err)
	case q.engine != nil && q.region != "":
		r.NotLooked = "This machine's Docker engine does not answer."
	case q.engine != nil && len(r.Removed) == 0:
		return q.engine // it may be there
	}
	if r.Removed == nil {
		r.Removed = []string{}
	}
	return a.forget(s, r, q.began)
}

var errNotSearched = errors.New("AWS was not searched, since no credentials for it are configured here; --region NAME looks all the same")

// searchAWS looks for the lab's hosts and removes the caller's own. It returns what it removed, and where
// it looked.
func (a *app) searchAWS(ctx context.Context, s *session, q search) (removed, looked []string, err error) {
	if q.region == "" && !a.hasAWS() {
		return nil, nil, errNotSearched
	}
	configured, err := ec2.ConfiguredRegion(ctx)
	if err != nil {
		return nil, nil, err
	}
	from := cmp.Or(q.region, configured, "us-east-1") // the last is one that every account has
	client, err := ec2.NewClient(ctx, a.aws(from, 0))
	if err != nil {
		return nil, nil, err
	}
	caller, err := client.Caller(ctx)
	if errors.Is(err, ec2.ErrNoCredentials) && q.region == "" {
		return nil, nil, errNotSearched
	}
	if err != nil {
		return nil, nil, err
	}
	owner := a.owner
	if owner == "" {
		owner = caller.Owner()
	}
	regions := []string{from}
	if q.region == "" {
		if regions, err = client.Regions(ctx); err != nil {
			return nil, nil, err
		}
	}
	clients, err := ec2.Clients(ctx, a.aws("", 0), regions)
	if err != nil {
		return nil, nil, err
	}
	found, unseen, err := ec2.Locate(ctx, clients, q.lab, owner, ec2.SystemClock(), ec2.DefaultTiming())
	if err != nil {
		return nil, nil, err
	}
	looked = []string{fmt.Sprintf("AWS account %s as %s in %s", caller.Account, owner, places(regions))}
	err = ec2.NotEverywhere(unseen, len(clients))
	for _, f := range found {
		if !f.Mine {
			fmt.Fprintf(a.Err, "Lab %s of %s in %s is left alone. If that is you: --owner %s\n", f.Lab, f.Owner, f.Region, f.Owner)
			continue
		}
		gone, derr := a.destroyFound(ctx, s, clients, f)
		removed, err = append(removed, gone...), errors.Join(err, derr)
	}
	return removed, looked, err
}

// destroyFound removes a host that was found by its marks alone.
func (a *app) destroyFound(ctx context.Context, s *session, clients []*ec2.Client, f ec2.Found) ([]string, error) {
	i := slices.IndexFunc(clients, func(c *ec2.Client) bool { return c.Region == f.Region })
	host := ec2.NewHost(f.Spec(), f.Ownership(), clients[i], s.engine.Journal, nil)
	graph, err := provision.NewGraph(host)
	if err != nil {
		return nil, err
	}
	v := a.view()
	v.Emit(event.Notice{Addr: host.Addr(), Text: "found lab " + f.Lab + " of " + f.Owner + " in " + f.Region})
	err = graph.Destroy(ctx, v)
	v.Close()
	return host.Removed(), err
}

// places names a few regions, and counts many.
func places(regions []string) string {
	if len(regions) > 3 {
		return fmt.Sprintf("all its %d regions", len(regions))
	}
	return strings.Join(regions, ", ")
}

// hasAWS tells whether somebody has configured AWS here. A machine with an instance role and nothing else is
// not recognised: to ask for that takes seconds on every other machine.
func (a *app) hasAWS() bool {
	for _, name := range []string{
		"AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
	} {
		if a.getenv(name) != "" {
			return true
		}
	}
	for name, usual := range map[string]string{"AWS_SHARED_CREDENTIALS_FILE": "credentials", "AWS_CONFIG_FILE": "config"} {
		path := a.getenv(name)
		if path == "" {
			path = filepath.Join(a.getenv("HOME"), ".aws", usual)
		}
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
			return true
		}
	}
	return false
}
