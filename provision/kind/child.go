package kind

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"syscall"

	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"
	"sigs.k8s.io/kind/pkg/cluster"
	"sigs.k8s.io/kind/pkg/errors"
	"sigs.k8s.io/kind/pkg/exec"
	"sigs.k8s.io/kind/pkg/log"

	"github.com/labctl/labctl/internal/clierr"
)

// ChildCommand is the hidden command under which labctl runs kind's library in a process of its
// own: the library takes no context, reads the environment, and cannot be cancelled otherwise.
const ChildCommand = "__kind-create"

// request is what the parent writes as the first line of the child's standard input.
type request struct {
	Config     *v1alpha4.Cluster `json:"config"`
	Kubeconfig string            `json:"kubeconfig"`
}

// report is one line of the child's standard output.
type report struct {
	// Step is kind's own word for what it begins: "Starting control-plane".
	Step string `json:"step,omitempty"`
	// Ended: the step has succeeded.
	Ended bool   `json:"ended,omitempty"`
	Warn  string `json:"warn,omitempty"`
	Error string `json:"error,omitempty"`
}

// RunChild is the child's main. It reads its request from in and reports to out. When in closes,
// its parent is gone, and it ends its whole process group: no kind survives its labctl.
func RunChild(in io.Reader, out io.Writer) error {
	input := bufio.NewReader(in)
	line, err := input.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("reading the request: %w", err)
	}
	var req request
	if err := json.Unmarshal(line, &req); err != nil {
		return fmt.Errorf("reading the request: %w", err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, input)
		_ = syscall.Kill(-syscall.Getpgrp(), syscall.SIGKILL)
	}()
	reports := &reporter{out: json.NewEncoder(out)}
	provider := cluster.NewProvider(cluster.ProviderWithDocker(), cluster.ProviderWithLogger(reports))
	err = provider.Create(req.Config.Name,
		cluster.CreateWithV1Alpha4Config(req.Config),
		cluster.CreateWithKubeconfigPath(req.Kubeconfig),
		cluster.CreateWithRetain(true), // what failed is kept to be looked at; labctl removes it
		cluster.CreateWithDisplayUsage(false),
		cluster.CreateWithDisplaySalutation(false),
	)
	if err != nil {
		reports.send(report{Error: explain(err)})
	}
	return err
}

// maxSaid is how much is kept of what a failed command has said.
const maxSaid = 16 << 10

// explain adds the end of a failed command's output to kind's error.
func explain(err error) string {
	text := err.Error()
	if run := exec.RunErrorForError(err); run != nil {
		const most = 12
		said := run.Output[max(0, len(run.Output)-maxSaid):]
		lines := strings.Split(strings.TrimSpace(string(said)), "\n")
		text += "\n" + strings.Join(lines[max(0, len(lines)-most):], "\n")
	}
	if all := errors.Errors(err); len(all) > 1 {
		for _, e := range all[1:] {
			text += "\n" + e.Error()
		}
	}
	return text
}

// reporter is kind's logger. kind announces a step as " • Step  ...\n" and its end as " ✓ Step\n".
type reporter struct {
	mu  sync.Mutex
	out *json.Encoder
}

func (r *reporter) send(rep report) {
	rep.Warn, rep.Error = clierr.Redact(rep.Warn), clierr.Redact(rep.Error) // kind prints whole command lines
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.out.Encode(rep) // a parent that does not read any more is gone; the group is being ended
}

func (r *reporter) Info(message string) {
	message = strings.TrimSpace(message)
	if step, ok := strings.CutPrefix(message, "•"); ok {
		r.send(report{Step: stepName(step)})
	}
	if step, ok := strings.CutPrefix(message, "✓"); ok {
		r.send(report{Step: stepName(step), Ended: true})
	}
}

// stepName drops the pictures and dots that kind puts behind a step's name.
func stepName(s string) string {
	name := strings.Map(func(c rune) rune {
		if c > 0x7e {
			return -1
		}
		return c
	}, s)
	return strings.TrimSpace(strings.TrimRight(strings.TrimSpace(name), "."))
}

func (r *reporter) Warn(message string)              { r.send(report{Warn: strings.TrimSpace(message)}) }
func (r *reporter) Warnf(format string, args ...any) { r.Warn(fmt.Sprintf(format, args...)) }
func (r *reporter) Error(message string)             { r.Warn(message) }
func (r *reporter) Errorf(format string, args ...any) {
	r.Warn(fmt.Sprintf(format, args...))
}
func (r *reporter) V(level log.Level) log.InfoLogger { return leveled{r, level <= 0} }

// leveled is one level of the logger; only the level of the steps is heard.
type leveled struct {
	*reporter
	enabled bool
}

func (l leveled) Info(message string) {
	if l.enabled {
		l.reporter.Info(message)
	}
}
func (l leveled) Infof(format string, args ...any) { l.Info(fmt.Sprintf(format, args...)) }
func (l leveled) Enabled() bool                    { return l.enabled }

var _ log.Logger = (*reporter)(nil)
