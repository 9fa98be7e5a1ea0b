//go:build e2e

package hostile

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/cli"
)

// side is one of the far sides.
type side string

const (
	engine  side = "engine" // Docker's command line on this machine
	api     side = "api"    // the API server
	inside  side = "node"   // the files on the control-plane node
	host    side = "host"   // a host behind SSH: the connection,
	session side = "session"
	tunnel  side = "tunnel"
	far     side = "engine of the host"
	aws     side = "aws"
)

// manner is what a command does, as far as its exit code goes.
type manner int

const (
	nothing manner = iota // asks no far side
	reads                 // looks and changes nothing: what it cannot tell is 5
	plans                 // the same, and without an engine or an account there is nothing to plan on (3)
	acts                  // changes something: what it cannot reach it refuses (3), or it fails half way (1)
	enters                // runs another program in the lab: its own exit code is 5 or that program's
)

// row is one command line of the sweep.
type row struct {
	command string // as the tree of commands has it
	args    []string
	manner  manner
	// needs are the far sides without which it cannot do its work; may are those that it asks all the same.
	needs, may []side
	// well are the exit codes when everybody is well.
	well []int
	// onHost are those of a lab that is on a host; nil: the same.
	onHost []int
	slow   bool // it waits for the cluster
}

func (r row) String() string { return strings.Join(append([]string{"labctl"}, r.args...), " ") }

func line(words string) []string { return strings.Fields(words) }

var (
	ok     = []int{0}
	usage  = []int{2}
	broken = []int{4}
)

// rows are the command lines. Every command of labctl has one at least.
var rows = []row{
	{command: "labctl", args: nil, well: ok},
	{command: "version", args: line("version"), well: ok},
	{command: "help", args: line("help up"), well: ok},
	{command: "completion", args: line("completion"), well: ok},
	{command: "completion bash", args: line("completion bash"), well: ok},
	{command: "completion zsh", args: line("completion zsh"), well: ok},
	{command: "completion fish", args: line("completion fish"), well: ok},
	{command: "completion powershell", args: line("completion powershell"), well: ok},
	{command: "__complete", args: []string{"__complete", "check", ""}, may: []side{engine}, well: ok},
	{command: "__complete", args: []string{"__complete", "down", ""}, well: ok},
	{command: "validate", args: line("validate hostile.hcl"), well: ok},

	{command: "status", args: line("status"), manner: reads, needs: []side{engine, aws}, well: ok},
	{command: "status", args: line("status hostile"), manner: reads, needs: everything, well: ok},
	{command: "verify", args: line("verify --lab hostile"), manner: reads, needs: everything, well: ok},
	{command: "plan", args: line("plan hostile.hcl"), manner: plans, needs: everything, well: ok},
	{command: "plan", args: line("plan fresh.hcl"), manner: plans, needs: []side{engine, aws}, well: ok, onHost: []int{0, 3}},
	{command: "check", args: line("check imagepull --lab hostile"), manner: reads, needs: []side{api, inside, host, tunnel}, may: []side{engine, session, far}, well: broken},
	{command: "answer", args: line("answer imagepull nothing --lab hostile"), manner: reads, may: []side{api, inside, host, tunnel, engine, session, far}, well: []int{2}},
	{command: "hint", args: line("hint imagepull --lab hostile"), manner: reads, needs: []side{api, inside, host, tunnel}, may: []side{engine, session, far}, well: ok},
	{command: "scenario", args: line("scenario --lab hostile"), manner: reads, may: []side{api, engine, inside, host, session, tunnel, far}, well: ok},
	{command: "task", args: line("task --lab hostile"), manner: reads, may: []side{api, engine, inside, host, session, tunnel, far}, well: ok},
	{command: "task", args: line("task imagepull --lab hostile"), manner: reads, may: []side{api, engine, inside, host, session, tunnel, far}, well: ok},
	{command: "kubeconfig", args: line("kubeconfig --lab hostile"), manner: reads, needs: []side{inside}, may: []side{engine, api, host}, well: ok},
	{command: "kubeconfig", args: line("kubeconfig --path --lab hostile"), manner: reads, needs: []side{inside}, may: []side{engine, api, host}, well: ok},
	{command: "gc", args: line("gc --dry-run"), manner: reads, needs: []side{engine, aws}, well: []int{6}, slow: true},

	{command: "up", args: line("up hostile.hcl"), manner: acts, needs: everything, well: ok, slow: true},
	{command: "up", args: line("up fresh.hcl"), manner: acts, needs: []side{engine, aws}, may: []side{inside}, well: []int{1}, onHost: []int{1, 3}, slow: true},
	{command: "scenario", args: line("scenario imagepull --lab hostile"), manner: acts, needs: everything, well: ok, slow: true},
	{command: "scenario test", args: line("scenario test multi-container --yes --lab hostile"), manner: acts, needs: everything, well: []int{1}, slow: true},
	{command: "scenario new", args: line("scenario new made-up --type nothing"), manner: nothing, well: usage},
	{command: "solve", args: line("solve imagepull --show --lab hostile"), manner: reads, may: []side{engine}, well: ok},
	{command: "solve", args: line("solve imagepull --yes --lab hostile"), manner: acts, needs: []side{api, inside, host, tunnel}, may: []side{engine, session, far}, well: broken, slow: true},
	{command: "reset", args: line("reset imagepull --lab hostile"), manner: acts, needs: everything, well: ok, slow: true},
	{command: "stop", args: line("stop --lab hostile"), manner: acts, needs: []side{engine, aws}, may: []side{host, session, far}, well: ok},
	{command: "start", args: line("start --lab hostile"), manner: acts, needs: everything, well: ok, slow: true},
	{command: "extend", args: line("extend 1h --lab hostile"), manner: acts, needs: []side{host, session, aws}, may: []side{engine}, well: usage, onHost: ok, slow: true},
	{command: "gc", args: line("gc"), manner: acts, needs: []side{engine, aws}, well: ok},
	{command: "down", args: line("down hostile"), manner: acts, needs: []side{engine, aws}, well: ok},
	{command: "down", args: line("down nobodys"), manner: acts, needs: []side{engine, aws}, well: ok},
	{command: "down", args: line("down"), manner: acts, needs: []side{engine, aws}, well: ok},

	{command: "shell", args: line("shell --lab hostile -- sh -c true"), manner: enters, needs: []side{inside}, may: []side{engine, api, host, session, tunnel, far}, well: ok},
	{command: "kubectl", args: line("kubectl --lab hostile -- get pods"), manner: enters, needs: []side{inside}, may: []side{engine, api, host, session, tunnel, far}, well: ok},
	{command: "ssh", args: line("ssh --lab hostile -- true"), manner: enters, may: []side{engine}, well: usage, onHost: ok},
}

// everything is what a command asks that looks at the whole lab.
var everything = []side{engine, api, inside, host, session, tunnel, far, aws}

// onThisMachine tells whether the side is one of a lab on this machine's own Docker.
func (s side) onThisMachine() bool { return s == engine || s == api || s == inside }

// behaviour is what a far side does.
type behaviour struct {
	name string
	side side
	// dead: it says nothing that means anything. Otherwise it answers, and what it says is not true or not nice.
	dead bool
	// waits: the run lasts as long as labctl's patience, and costs nothing meanwhile.
	waits bool
	json  bool // labctl is asked for JSON
	well  bool // it is as it should be
	// codes are other exit codes than the rule's, by the first words of a row's arguments; "" is every row that
	// needs the side.
	codes   map[string][]int
	prepare func(*testing.T, *stage)
}

// stage is one combination: a sandbox and its far sides.
type stage struct {
	*sandbox
	tb    testing.TB
	api   *apiServer
	pki   *pki
	host  *sshHost        // of a lab on a host, and
	cloud *cloud          // AWS
	then  func() []string // what has to be seen afterwards
}

// asked tells whether the far side has heard from the command.
func (s *stage) asked(side side) bool {
	calls, _ := os.ReadFile(s.path("engine", "calls")) // none: it was not called
	switch side {
	case engine:
		return len(calls) > 0
	case inside:
		return bytes.Contains(calls, []byte("/etc/kubernetes/admin.conf"))
	case api:
		return s.api.visits.Load() > 0
	}
	if side == aws {
		return s.cloud.visits.Load() > 0
	}
	return s.host.visits.Load() > 0
}

// asks tells whether a row says that its command asks a far side. That of a row which does not is shown by the
// well-behaved; the others cannot make a difference then.
func (r row) asks(s side) bool { return slices.Contains(r.needs, s) || slices.Contains(r.may, s) }

// codes are the exit codes that are right for a command on a far side.
func (b behaviour) codesFor(r row) []int {
	needs, may := slices.Contains(r.needs, b.side), slices.Contains(r.may, b.side)
	well := r.well
	if !b.side.onThisMachine() && r.onHost != nil {
		well = r.onHost
	}
	if !needs && !may || b.well {
		return well
	}
	words := strings.Join(r.args, " ")
	best := -1
	var chosen []int
	for prefix, codes := range b.codes {
		if strings.HasPrefix(words, prefix) && len(prefix) > best && (prefix != "" || needs) {
			best, chosen = len(prefix), codes
		}
	}
	if best >= 0 {
		return chosen
	}
	var codes []int
	switch {
	case b.dead && r.manner == acts:
		codes = []int{1, 3, 5, 6}
	case b.dead && r.manner == plans && (b.side == engine || b.side == aws):
		codes = []int{3, 5}
	case b.dead && r.manner == plans:
		codes = []int{0, 3, 5} // that it does not answer is to be mended
	case b.dead && b.side == aws && slices.Contains(r.well, 6):
		codes = []int{5, 6} // what is on this machine is told, and counts for more
	case b.dead && (b.side == host || b.side == session || b.side == far):
		codes = []int{4, 5} // a host that does not answer is not as declared
	case b.dead:
		codes = []int{5}
	case r.manner == acts:
		codes = []int{0, 1, 3, 4, 5, 6}
	default:
		codes = []int{0, 3, 4, 5}
	}
	if !b.dead || may {
		codes = append(codes, well...)
	}
	return codes
}

// TestEveryCommandHasARow: a new command is swept, or this fails.
func TestEveryCommandHasARow(t *testing.T) {
	swept := map[string]bool{}
	for _, r := range rows {
		swept[r.command] = true
	}
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		path := c.CommandPath()
		if c.HasParent() {
			path = strings.TrimPrefix(path, "labctl ")
		}
		if !swept[path] {
			t.Errorf("`labctl %s` has no row in commands_test.go", path)
		}
		for _, below := range c.Commands() {
			walk(below)
		}
	}
	walk(cli.Commands(cli.Process{Args: []string{"labctl"}, In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
