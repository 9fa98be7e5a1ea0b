package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
	"github.com/labctl/labctl/provision/ec2"
)

// query says where locateAWS looks.
type query struct {
	lab     string   // this lab alone; empty: all
	regions []string // empty: all that the account has enabled
	// await looks again for as long as what was made just now may not be shown yet.
	await bool
}

// Found is a lab that exists somewhere: remembered by this machine, marked on its Docker engine, tagged on AWS.
type Found struct {
	Lab, Owner string
	Mine       bool
	State      *state.State // what this machine remembers; nil without
	Unreadable error        // why that cannot be read
	Elsewhere  error        // the lab is on another Docker engine than the one that answers
	Containers []docker.Container
	Host       *ec2.Found // as AWS shows it
}

// Located is what was found, and where nobody could look.
type Located struct {
	Labs    []Found
	Engine  error    // why this machine's engine could not be asked
	Regions []string // of AWS, that were to be looked at
	Looked  string   // "AWS account 123456789012 as arn:… in eu-central-1", for a person
	Unseen  []ec2.Unseen
	Now     time.Time // by AWS's clock

	clients []*ec2.Client
}

// locate finds labs by labctl's directory and by the marks on this machine's engine: all, or that of the name. The error
// is one about labctl's own files.
func (m *Machine) locate(ctx context.Context, lab string) (*Located, error) {
	found := &Located{}
	home, err := m.Home()
	if err != nil {
		return nil, err
	}
	owner, err := m.owner()
	if err != nil {
		return nil, err
	}
	names, err := home.Labs()
	if err != nil {
		return nil, err
	}
	engine, _ := m.Docker()
	labels := []string{provision.LabelLab}
	if lab != "" {
		labels = provision.Ownership{Lab: lab, Owner: owner}.Labels()
		names = []string{lab}
	}
	var containers []docker.Container
	containers, found.Engine = engine.Containers(ctx, labels...)
	for _, name := range names {
		st, err := home.Lab(name).Load()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		f := Found{Lab: name, Owner: owner, Mine: true, Unreadable: err}
		if err == nil {
			// By AWS's name, unless one is given: that it is here says whose it is.
			f.State, f.Owner, f.Mine = st, st.Owner, st.Owner == owner || len(st.Host) > 0 && m.Owner == ""
			if at := differs(ctx, engine, st); at != "" {
				f.Elsewhere = otherEngine(clierr.Inconclusive, st, at)
			}
		}
		found.Labs = append(found.Labs, f)
	}
	for _, c := range containers {
		found.add(c, owner)
	}
	return found, nil
}

// add adds a container to its lab, which is added where it is not there.
func (l *Located) add(c docker.Container, me string) {
	name, owner := c.Labels[provision.LabelLab], c.Labels[provision.LabelOwner]
	i := slices.IndexFunc(l.Labs, func(f Found) bool { return f.Lab == name && f.Owner == owner })
	if i < 0 {
		l.Labs = append(l.Labs, Found{Lab: name, Owner: owner, Mine: owner == me})
		i = len(l.Labs) - 1
	}
	l.Labs[i].Containers = append(l.Labs[i].Containers, c)
}

// locateAWS adds the hosts that the tags on AWS tell of, a lab each. The error is one about AWS as a whole.
func (m *Machine) locateAWS(ctx context.Context, q query, found *Located) error {
	named := ""
	if len(q.regions) > 0 {
		named = q.regions[0]
	}
	o := m.aws(named)
	var err error
	if o.Region, err = ec2.HomeRegion(ctx, o); err != nil {
		return err
	}
	client, err := ec2.NewClient(ctx, o)
	if err != nil {
		return err
	}
	caller, err := client.Caller(ctx)
	if err != nil {
		return err
	}
	me := caller.Owner()
	if m.Owner != "" {
		if me, err = m.owner(); err != nil {
			return err
		}
	}
	if found.Regions = q.regions; len(q.regions) == 0 {
		if found.Regions, err = client.Regions(ctx); err != nil {
			return err
		}
		slices.Sort(found.Regions)
	}
	if found.clients, err = ec2.Clients(ctx, m.aws(""), found.Regions); err != nil {
		return err
	}
	found.Looked = fmt.Sprintf("AWS account %s as %s in %s", caller.Account, me, places(found.Regions))
	found.Now = client.Now(m.now()) // by a wrong clock here, hosts would be removed that have hours left
	var hosts []ec2.Found
	if q.await {
		hosts, found.Unseen, err = ec2.Locate(ctx, found.clients, q.lab, me, ec2.SystemClock(), ec2.DefaultTiming())
	} else {
		hosts, found.Unseen = ec2.FindEverywhere(ctx, found.clients, q.lab, me, found.Now)
	}
	for _, h := range hosts {
		found.Labs = append(found.Labs, Found{Lab: h.Lab, Owner: h.Owner, Mine: h.Mine, Host: &h})
	}
	return err
}

// notEverywhere is an error about the regions that could not be looked at; nil when there are none.
func (l *Located) notEverywhere() error { return ec2.NotEverywhere(l.Unseen, len(l.clients)) }

// client returns the client of a region.
func (l *Located) client(region string) *ec2.Client {
	return l.clients[slices.IndexFunc(l.clients, func(c *ec2.Client) bool { return c.Region == region })]
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
func (m *Machine) hasAWS() bool {
	for _, name := range []string{
		"AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
	} {
		if m.Getenv(name) != "" {
			return true
		}
	}
	for name, usual := range map[string]string{"AWS_SHARED_CREDENTIALS_FILE": "credentials", "AWS_CONFIG_FILE": "config"} {
		path := cmp.Or(m.Getenv(name), filepath.Join(m.Getenv("HOME"), ".aws", usual))
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
			return true
		}
	}
	return false
}
