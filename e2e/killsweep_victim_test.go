//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/state"
)

// killOwner is whose the labs are whose labctl is killed; each lab has an owner of its own that begins
// with this, and so a mirror's cache of its own, which has to be filled every time.
const killOwner = "labctl-e2e-kill"

// campaign is all that is killed in one run.
type campaign struct {
	*testing.T
	killing string   // a labctl built with the tag killpoints
	volumes []string // that were there before
}

// score is what was counted of one kind of kill.
type score struct {
	what                   string
	points, checks, failed atomic.Int64
	nanoseconds            atomic.Int64 // of all labs together
}

// String is the line that a run ends with.
func (s *score) String() string {
	return fmt.Sprintf("%s: %d points, %d checks, %d failed", s.what, s.points.Load(), s.checks.Load(), s.failed.Load())
}

func newCampaign(t *testing.T) *campaign {
	t.Helper()
	c := &campaign{T: t, killing: filepath.Join(t.TempDir(), "labctl")}
	build := exec.Command("go", "build", "-trimpath", "-tags", "killpoints", "-ldflags", "-s -w -X main.version=e2e", "-o", c.killing, "./cmd/labctl")
	build.Dir, build.Env = "..", append(os.Environ(), "CGO_ENABLED=0")
	if _, err := output(build); err != nil {
		t.Fatal(err)
	}
	volumes, err := output(around.command("volume", "ls", "-q"))
	if err != nil {
		t.Fatal(err)
	}
	c.volumes = strings.Fields(volumes)
	return c
}

// end looks once more for everything that may have come late, and returns how much that was.
func (c *campaign) end() int {
	c.Helper()
	late := left(killOwner, "")
	volumes, err := output(around.command("volume", "ls", "-q"))
	if err != nil {
		late = append(late, err.Error())
	}
	for _, v := range strings.Fields(volumes) {
		if !slices.Contains(c.volumes, v) {
			late = append(late, "volume "+v+", which was not there before")
		}
	}
	if len(late) > 0 {
		c.Errorf("left at the end:\n  %s", strings.Join(late, "\n  "))
	}
	return len(late)
}

// job is one lab's way through a kill.
type job struct {
	score *score
	name  string
	run   func(v *victim)
}

// atOnce is how many labs of one node two cores bear: kind mostly waits.
const atOnce = 3

// side runs jobs side by side, each as a subtest with a lab of its own.
func (c *campaign) side(jobs []job) {
	c.Helper()
	next := make(chan int)
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for i := range next {
				j := jobs[i]
				c.Run(j.name, func(t *testing.T) {
					began := time.Now()
					j.run(newVictim(t, c, j.score, fmt.Sprintf("ks-%d", i+1)))
					j.score.nanoseconds.Add(int64(time.Since(began)))
				})
			}
		})
	}
	for i := range jobs {
		next <- i
	}
	close(next)
	wg.Wait()
}

// victim is a lab of one node whose labctl is killed.
type victim struct {
	*testing.T
	c     *campaign
	score *score
	name  string
	home  string // LABCTL_HOME
	user  string // HOME
	file  string
	files *state.Lab
}

func newVictim(t *testing.T, c *campaign, score *score, name string) *victim {
	t.Helper()
	dir := t.TempDir()
	v := &victim{T: t, c: c, score: score, name: name, home: filepath.Join(dir, "state"), user: filepath.Join(dir, "home"), file: filepath.Join(dir, name+".hcl")}
	v.files = state.Home{Dir: v.home}.Lab(name)
	text := fmt.Sprintf("lab %[1]q {}\ncluster \"kind\" %[1]q {\n  kubernetes = \"1.35\"\n  node \"control-plane\" {}\n}\nscenario \"imagepull\" {}\n", name)
	if err := errors.Join(os.Mkdir(v.user, 0o700), os.WriteFile(v.file, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if len(v.left()) > 0 { // after a failure
			t.Logf("down, after a failure:\n%s", v.start(around.labctl(), "down", name).wait(t, 3*time.Minute).text)
		}
		volumes, err := output(around.command("volume", "ls", "-q", "--filter", "label=labctl.owner="+v.owner()))
		for _, volume := range strings.Fields(volumes) {
			_, verr := output(around.command("volume", "rm", volume))
			err = errors.Join(err, verr)
		}
		if err != nil {
			t.Error(err)
		}
	})
	return v
}

func (v *victim) owner() string { return killOwner + "-" + v.name }

// labctl is the program under test as it is built for people.
func (s surroundings) labctl() string { return filepath.Join(s.bin, "labctl") }

// check counts one thing that was looked at, and whether it was as it should be.
func (v *victim) check(ok bool, format string, args ...any) bool {
	v.Helper()
	v.score.checks.Add(1)
	if !ok {
		v.score.failed.Add(1)
		v.Errorf(format, args...)
	}
	return ok
}

// attempt is a labctl under way.
type attempt struct {
	cmd  *exec.Cmd
	out  bytes.Buffer
	done chan struct{}
}

// ending is how it ended.
type ending struct {
	code   int
	killed bool
	text   string
	took   time.Duration
}

// start starts a labctl in a process group of its own. more is more of the environment.
func (v *victim) start(binary string, args ...string) *attempt {
	return v.startWith(nil, binary, args...)
}

func (v *victim) startWith(more []string, binary string, args ...string) *attempt {
	v.Helper()
	r := &attempt{cmd: exec.Command(binary, args...), done: make(chan struct{})}
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "LABCTL_") && !strings.HasPrefix(kv, "HOME=") && !strings.HasPrefix(kv, "KUBECONFIG=") {
			r.cmd.Env = append(r.cmd.Env, kv)
		}
	}
	r.cmd.Env = append(r.cmd.Env, "LABCTL_HOME="+v.home, "LABCTL_OWNER="+v.owner(), "HOME="+v.user, "DOCKER_HOST="+around.host)
	r.cmd.Env = append(r.cmd.Env, more...)
	r.cmd.Dir = v.user
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// A file, not a pipe: nothing that survives a kill can hold it up.
	out, err := os.CreateTemp(v.TempDir(), "out")
	if err != nil {
		v.Fatal(err)
	}
	r.cmd.Stdout, r.cmd.Stderr = out, out
	if err := r.cmd.Start(); err != nil {
		v.Fatal(err)
	}
	go func() {
		_ = r.cmd.Wait()
		_, _ = out.Seek(0, 0)
		_, _ = r.out.ReadFrom(out)
		_ = out.Close()
		close(r.done)
	}()
	return r
}

// wait waits for the end, at most so long.
func (r *attempt) wait(t *testing.T, limit time.Duration) ending {
	t.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	select {
	case <-r.done:
	case <-ctx.Done():
		_ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL)
		<-r.done
		t.Fatalf("%s: has not ended within %s:\n%s", strings.Join(r.cmd.Args, " "), limit, &r.out)
	}
	status := r.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ending{code: r.cmd.ProcessState.ExitCode(), killed: status.Signaled() && status.Signal() == syscall.SIGKILL, text: r.out.String(), took: time.Since(began)}
}

// killAt runs a command that is killed at the n-th record of the journal from here on, and says
// whether it was: a command that makes fewer records ends by itself. The shell makes the process that
// the docker stand-in kills along with itself the one that is labctl then.
func (v *victim) killAt(n int, args ...string) (killed bool) {
	v.Helper()
	env := []string{"LABCTL_KILL_AT=" + strconv.Itoa(n)}
	return v.dies(env, "/bin/sh", append([]string{"-c", `export LABCTL_KILL_PID=$$; exec "$0" "$@"`, v.c.killing}, args...)...)
}

// killAtRequest is killAt for the n-th change through the API.
func (v *victim) killAtRequest(n int, args ...string) (killed bool) {
	v.Helper()
	return v.dies([]string{"LABCTL_KILL_REQUEST=" + strconv.Itoa(n)}, v.c.killing, args...)
}

func (v *victim) dies(env []string, binary string, args ...string) bool {
	v.Helper()
	end := v.startWith(env, binary, args...).wait(v.T, 5*time.Minute)
	if !v.check(end.killed || end.code == 0, "%s, to be killed (%v): exit %d\n%s", strings.Join(args, " "), env, end.code, end.text) {
		v.FailNow()
	}
	if end.killed {
		v.score.points.Add(1)
		v.noProcesses()
	}
	return end.killed
}

// killAfter kills a command of the program as people have it after some time, or lets it end.
func (v *victim) killAfter(d time.Duration, args ...string) {
	v.Helper()
	r := v.start(around.labctl(), args...)
	select {
	case <-r.done:
	case <-time.After(d):
		_ = syscall.Kill(r.cmd.Process.Pid, syscall.SIGKILL)
	}
	end := r.wait(v.T, time.Minute)
	v.check(end.killed || end.code == 0, "%s, to be killed after %s: exit %d\n%s", strings.Join(args, " "), d, end.code, end.text)
	v.score.points.Add(1)
	v.noProcesses()
}

// must runs a command that has to succeed.
func (v *victim) must(args ...string) string {
	v.Helper()
	end := v.start(around.labctl(), args...).wait(v.T, 6*time.Minute)
	if !v.check(end.code == 0, "labctl %s: exit %d\n%s", strings.Join(args, " "), end.code, end.text) {
		v.FailNow()
	}
	return end.text
}

// converges: `up` makes of whatever there is what an undisturbed one makes. The solution pulls an image
// through the mirror, so it proves what verify cannot see.
func (v *victim) converges(solve bool) {
	v.Helper()
	v.must("up", v.file)
	v.sound()
	if solve {
		v.must("solve", "imagepull")
	}
}

// sound: the lab is as declared, and nothing is there but the lab.
func (v *victim) sound() {
	v.Helper()
	v.must("verify")
	classes := v.must("kubectl", "--", "get", "storageclass", "--output", "name")
	v.check(strings.Contains(classes, "storageclass."), "the cluster has no storage class: %q", classes)
	names, err := output(around.command("ps", "-a", "--filter", "label=labctl.owner="+v.owner(), "--format", "{{.Names}} {{.State}}"))
	got := strings.Split(names, "\n")
	slices.Sort(got)
	want := []string{v.name + "-control-plane running", "labctl-mirror-" + v.name + " running"}
	slices.Sort(want)
	v.check(err == nil && slices.Equal(got, want), "containers: %q (%v), want %q", got, err, want)
	tags := danglingTags()
	v.check(len(tags) == 0, "tags: %q", tags)
	open := v.unfinished()
	v.check(len(open) == 0, "acts in the journal that have not ended: %v", open)
}

// downs: `down` succeeds and nothing is left.
func (v *victim) downs() {
	v.Helper()
	v.must("down", v.name)
	v.noProcesses()
	lines := v.left()
	v.check(len(lines) == 0, "left after down:\n  %s", strings.Join(lines, "\n  "))
}

// loseState deletes labctl's directory, as somebody does who tidies up by hand.
func (v *victim) loseState() {
	v.Helper()
	if err := os.RemoveAll(v.home); err != nil {
		v.Fatal(err)
	}
}

func (v *victim) records() int {
	v.Helper()
	j, err := v.files.OpenJournal()
	if err != nil {
		v.Fatal(err)
	}
	records, err := j.Records()
	if err != nil {
		v.Fatal(err)
	}
	return len(records)
}

func (v *victim) unfinished() []state.Record {
	v.Helper()
	j, err := v.files.OpenJournal()
	if err != nil {
		v.Fatal(err)
	}
	open, err := j.Unfinished()
	if err != nil {
		v.Fatal(err)
	}
	return open
}

// moment is a time within a run, the same in every test with the same seed.
func moment(r *rand.Rand, within time.Duration) time.Duration {
	return time.Duration(r.Int64N(int64(within)))
}
