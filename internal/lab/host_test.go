package lab

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision/ec2"
)

// noon is when these tests take place.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// rented is what is remembered of a host that was launched an hour ago and has an hour left.
func rented() *ec2.HostState {
	return &ec2.HostState{
		Name: "bench", Region: "eu-central-1", Account: "123456789012", GroupID: "sg-1", InstanceID: "i-1", Type: "t3.large", Disk: 30,
		Launched: noon.Add(-time.Hour), Expires: noon.Add(time.Hour),
	}
}

func stateOf(t *testing.T, h *ec2.HostState) *state.State {
	t.Helper()
	raw, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	return &state.State{Lab: "a", Owner: "arn:aws:iam::123456789012:user/jane", FileName: "lab.hcl", Host: raw}
}

func atNoon(env ...string) *Machine {
	return &Machine{Environ: env, Now: func() time.Time { return noon }}
}

// TestWhatAQuestionTakes: to replace a host takes a word of its own, which answers nothing else; whatever it does not
// answer is asked.
func TestWhatAQuestionTakes(t *testing.T) {
	awsFake(t)
	for _, c := range []struct {
		kind                  ec2.Kind
		answer, recreate      bool
		want, somebodyIsAsked bool
	}{
		{ec2.AskPrice, false, false, false, true}, {ec2.AskPrice, true, false, true, true}, {ec2.AskPrice, false, true, false, true},
		{ec2.AskReplace, false, false, false, true}, {ec2.AskReplace, true, false, true, true}, {ec2.AskReplace, false, true, true, false},
	} {
		m, asked := laptop(t, true), 0
		m.Confirm = func(_ context.Context, q ec2.Question) (bool, error) {
			if asked++; q.Kind != c.kind || q.Text != "Really?" {
				t.Errorf("%s became %+v", c.kind, q)
			}
			return c.answer, nil
		}
		files := state.Home{Dir: t.TempDir()}.Lab("a")
		declared := &labfile.Lab{Name: "a", Host: &labfile.Host{Type: "ec2", Name: "bench", Region: "eu-central-1"}, Cluster: &labfile.Cluster{Type: "kind", Name: "c"}}
		r, err := m.newRemoteHost(t.Context(), declared, files, stateOf(t, rented()), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.recreate = c.recreate
		got, err := r.Confirm(t.Context(), ec2.Question{Kind: c.kind, Text: "Really?"})
		if err != nil || got != c.want || asked > 0 != c.somebodyIsAsked {
			t.Errorf("%s, answered %v, recreate %v: %v, %v, asked %d times", c.kind, c.answer, c.recreate, got, err, asked)
		}
	}
}

func TestALabStaysWhereItIs(t *testing.T) {
	host := &labfile.Host{Type: "ec2", Name: "bench"}
	here, there := &state.State{Lab: "a"}, stateOf(t, rented())
	if err := ensureSameTarget(here, &labfile.Lab{Name: "a"}); err != nil {
		t.Error(err)
	}
	if err := ensureSameTarget(there, &labfile.Lab{Name: "a", Host: host}); err != nil {
		t.Error(err)
	}
	for words, err := range map[string]error{
		"with --local goes on here":     ensureSameTarget(here, &labfile.Lab{Name: "a", Host: host}),
		"without --local goes on there": ensureSameTarget(there, &labfile.Lab{Name: "a"}),
	} {
		if clierr.ClassOf(err) != clierr.Refused || !strings.Contains(clierr.NextOf(err), words) || !strings.Contains(clierr.NextOf(err), "labctl down a") {
			t.Errorf("%v: %q; want %q", err, clierr.NextOf(err), words)
		}
	}
}

func TestHostStatus(t *testing.T) {
	m := atNoon()
	found := func(state string, expires time.Time) []ec2.Found {
		return []ec2.Found{{Lab: "a", Host: "bench", State: state, Type: "t3.large", Instances: []string{"i-1"}, Expires: expires}}
	}
	for name, c := range map[string]struct {
		found         []ec2.Found
		state         Standing
		detail, warns string
		missed        string
	}{
		"running":           {found("running", noon.Add(3*time.Hour+12*time.Minute)), "up", "i-1 t3.large in eu-central-1, running, $0.1049/h, $0.10 so far, ends itself in 3h12m", "", ""},
		"without a cluster": {found("running", noon.Add(3*time.Hour)), "partial", "ends itself in 3h; no cluster", "", "no cluster"},
		"nearly over":       {found("running", noon.Add(29*time.Minute)), "up", "ends itself in 29m", "Lab a ends itself in 29m", ""},
		"over":              {found("running", noon.Add(-time.Second)), "up", "its time is up", "about to end", ""},
		"stopped":           {found("stopped", noon.Add(time.Minute)), "stopped", "labctl start", "", ""},
		"gone":              {nil, "gone", "i-1 is not there any more", "", ""},
		"being launched":    {found("pending", noon.Add(time.Hour)), "partial", "labctl up", "", "no cluster"},
	} {
		s := m.remembered(rented())
		s.saw(c.found, func(ec2.Found) bool { return true }, noon)
		state, detail := hostStanding(s, "a", c.missed)
		if state != c.state || !strings.Contains(detail, c.detail) {
			t.Errorf("%s: %s, %q; want %s, %q", name, state, detail, c.state, c.detail)
		}
		if warns := s.Ending("a"); !strings.Contains(warns, c.warns) || (warns == "") != (c.warns == "") {
			t.Errorf("%s: it warns %q; want %q", name, warns, c.warns)
		}
	}
}

// awsFake counts what is asked of AWS, and denies it.
func awsFake(t *testing.T) *atomic.Int32 {
	t.Helper()
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte("<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>no</Message></Error></ErrorResponse>"))
	}))
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_PROFILE": "", "AWS_REGION": "eu-central-1",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
	return &calls
}

// laptop is a machine with a home, where docker is a script that says what an engine without anything says,
// or that there is none.
func laptop(t *testing.T, engine bool, env ...string) *Machine {
	t.Helper()
	dir := t.TempDir()
	script := "#!/bin/sh\nexit 0\n"
	if !engine {
		script = "#!/bin/sh\necho Cannot connect to the Docker daemon >&2\nexit 1\n"
	}
	if err := os.WriteFile(filepath.Join(dir, "docker"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return &Machine{
		Environ: append([]string{"LABCTL_HOME=" + filepath.Join(dir, "state"), "HOME=" + dir, "PATH=" + dir}, env...),
		Command: "labctl down", Events: event.Discard,
	}
}

// TestDestroyAsksAWSOnlyWhereItMay: a lab on this machine needs no credentials and no call; one that nobody
// remembers is looked for where credentials are.
func TestDestroyAsksAWSOnlyWhereItMay(t *testing.T) {
	configured := "AWS_ACCESS_KEY_ID=test"
	for name, c := range map[string]struct {
		engine bool
		state  *state.State
		region string
		env    []string
		want   clierr.Class
		fails  bool
		calls  bool
	}{
		"of this machine":                            {engine: true, state: &state.State{Lab: "a"}, env: []string{configured}},
		"of this machine, without an engine":         {state: &state.State{Lab: "a"}, env: []string{configured}, fails: true, want: clierr.Inconclusive},
		"of this machine, with a region":             {engine: true, state: &state.State{Lab: "a"}, region: "eu-west-1", env: []string{configured}, fails: true, want: clierr.Usage},
		"not remembered, AWS not configured":         {engine: true},
		"not remembered, neither engine nor AWS":     {fails: true, want: clierr.Inconclusive},
		"not remembered, AWS refuses":                {engine: true, env: []string{configured}, fails: true, want: clierr.Refused, calls: true},
		"not remembered, a region is given":          {engine: true, region: "eu-west-1", fails: true, want: clierr.Refused, calls: true},
		"on AWS, which refuses":                      {state: stateOf(t, rented()), fails: true, want: clierr.Refused, calls: true},
		"on AWS, and the region is another":          {state: stateOf(t, rented()), region: "eu-west-1", fails: true, want: clierr.Usage},
		"on AWS, without an engine and a word of it": {engine: true, state: stateOf(t, rented()), env: []string{configured}, fails: true, want: clierr.Refused, calls: true},
	} {
		t.Run(name, func(t *testing.T) {
			calls := awsFake(t)
			m := laptop(t, c.engine, c.env...)
			home, err := m.Home()
			if err != nil {
				t.Fatal(err)
			}
			if c.state != nil {
				if c.state.Owner == "" {
					if c.state.Owner, err = m.owner(); err != nil {
						t.Fatal(err)
					}
				}
				if err := home.Lab("a").Save(c.state); err != nil {
					t.Fatal(err)
				}
			}
			_, err = m.Destroy(t.Context(), Target{Lab: "a", Region: c.region})
			if (err != nil) != c.fails || err != nil && clierr.ClassOf(err) != c.want {
				t.Errorf("%v (%s); want failure %v, %s", err, clierr.ClassOf(err), c.fails, c.want)
			}
			if got := calls.Load() > 0; got != c.calls {
				t.Errorf("%d calls to AWS", calls.Load())
			}
			// What was not removed is not forgotten.
			if _, err := home.Lab("a").Load(); c.state != nil && (err != nil) == c.fails {
				t.Errorf("afterwards the state reads: %v", err)
			}
		})
	}
}

func TestHasAWS(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, ".aws"), 0o700); err != nil {
		t.Fatal(err)
	}
	if atNoon("HOME=" + dir).hasAWS() {
		t.Error("an empty folder counts as configured")
	}
	if err := os.WriteFile(filepath.Join(dir, ".aws", "credentials"), []byte("[default]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, env := range [][]string{{"HOME=" + dir}, {"AWS_PROFILE=x"}, {"AWS_ACCESS_KEY_ID=x"}, {"AWS_WEB_IDENTITY_TOKEN_FILE=/x"}} {
		if !atNoon(env...).hasAWS() {
			t.Errorf("%v does not count as configured", env)
		}
	}
	if atNoon("HOME="+dir, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull).hasAWS() {
		t.Error("a file that is said not to count counts")
	}
}
