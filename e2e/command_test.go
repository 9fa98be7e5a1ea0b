//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// commands are what the scripts can do beside testscript's own commands.
var commands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"exits":      exits,
	"until":      until,
	"times":      times,
	"json":       jsonFields,
	"ndjson":     ndjson,
	"gone":       gone,
	"engine":     engineCommand,
	"keepout":    keepPort,
	"small-disk": smallDisk,
	"stranger":   stranger,

	"begin":     begin,
	"signal":    signalCommand,
	"ended":     ended,
	"processes": noProcesses,

	"copy-files": copyFiles,
	"promised":   promised,

	"count-calls":    countCalls,
	"mutating-calls": mutatingCalls,
}

// exits CODE COMMAND...: runs a command, which has to exit with that code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := exitCode(ts, ts.Exec(args[1], args[2:]...)); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func exitCode(ts *testscript.TestScript, err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	ts.Check(err)
	return 0
}

// until SECONDS COMMAND...: runs a command again and again until it succeeds.
func until(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: [!] until SECONDS COMMAND ARGS...")
	}
	seconds, err := strconv.Atoi(args[0])
	ts.Check(err)
	for deadline := time.Now().Add(time.Duration(seconds) * time.Second); ; time.Sleep(100 * time.Millisecond) {
		err := ts.Exec(args[1], args[2:]...)
		if (err == nil) != neg {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("not within %d s: %s: %v", seconds, strings.Join(args[1:], " "), err)
		}
	}
}

// times N MILLISECONDS COMMAND...: runs a command N times; each has to succeed, and half of them
// within that time. (On two cores, which a cluster shares, a single one may be late.)
func times(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: times N MILLISECONDS COMMAND ARGS...")
	}
	n, err1 := strconv.Atoi(args[0])
	limit, err2 := strconv.Atoi(args[1])
	ts.Check(errors.Join(err1, err2))
	var took []time.Duration
	for i := range n {
		began := time.Now()
		if err := ts.Exec(args[2], args[3:]...); err != nil {
			ts.Fatalf("run %d of %d: %v", i+1, n, err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	ts.Logf("%d runs: least %s, median %s, most %s", n, took[0].Round(time.Millisecond), took[n/2].Round(time.Millisecond), took[n-1].Round(time.Millisecond))
	if most := time.Duration(limit) * time.Millisecond; took[n/2] > most {
		ts.Fatalf("the median is %s, at most %s is allowed", took[n/2], most)
	}
}

// json PATH[=VALUE]...: standard output is one JSON value that has these fields: resources.0.verdict.
// A name after a list is looked for in each of its elements. With "!" none of them may be there.
func jsonFields(ts *testscript.TestScript, neg bool, args []string) {
	var v any
	if err := json.Unmarshal([]byte(ts.ReadFile("stdout")), &v); err != nil {
		ts.Fatalf("stdout is not JSON: %v", err)
	}
	require(ts, neg, v, args)
}

func require(ts *testscript.TestScript, neg bool, v any, fields []string) {
	for _, field := range fields {
		path, want, valued := strings.Cut(field, "=")
		found := lookup(v, strings.Split(path, "."))
		held := len(found) > 0
		if valued {
			held = slices.Contains(found, want)
		}
		if held == neg {
			ts.Fatalf("field %s: found %q", field, found)
		}
	}
}

// lookup returns the values at a path, as text.
func lookup(v any, path []string) []string {
	if len(path) == 0 {
		if s, ok := v.(string); ok {
			return []string{s}
		}
		raw, _ := json.Marshal(v)
		return []string{string(raw)}
	}
	switch v := v.(type) {
	case map[string]any:
		if inner, ok := v[path[0]]; ok {
			return lookup(inner, path[1:])
		}
	case []any:
		if i, err := strconv.Atoi(path[0]); err == nil {
			if i < len(v) {
				return lookup(v[i], path[1:])
			}
			return nil
		}
		var all []string
		for _, inner := range v {
			all = append(all, lookup(inner, path)...)
		}
		return all
	}
	return nil
}

// ndjson FILE [PATH[=VALUE]...]: every line of a file, or of stderr, is a JSON object, and over all of
// them the fields are found.
func ndjson(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: [!] ndjson FILE FIELD...")
	}
	lines := []any{}
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			ts.Fatalf("%q is no JSON object: %v", line, err)
		}
		lines = append(lines, object)
	}
	if len(lines) == 0 {
		ts.Fatalf("%s is empty", args[0])
	}
	require(ts, neg, lines, args[1:])
}

// engine ARGS...: docker, on the real engine, whatever the script has made of PATH and DOCKER_HOST.
func engineCommand(ts *testscript.TestScript, neg bool, args []string) {
	out, err := output(around.command(args...))
	fmt.Fprintln(ts.Stdout(), out)
	if (err != nil) != neg {
		ts.Fatalf("docker %s: %v", strings.Join(args, " "), err)
	}
}

// stranger NAME FLAGS...: runs a container that is not labctl's, until the script ends.
func stranger(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: stranger NAME FLAGS...")
	}
	remove := func() error {
		_, err := output(around.command("rm", "--force", args[0]))
		if err != nil && strings.Contains(err.Error(), "No such container") {
			return nil
		}
		return err
	}
	ts.Check(remove()) // a run that was killed may have left it
	ts.Defer(func() { ts.Check(remove()) })
	run := append([]string{"run", "--detach", "--name", args[0]}, args[1:]...)
	_, err := output(around.command(append(run, "busybox:1.36", "sleep", "600")...))
	ts.Check(err)
}

// gone LAB...: nothing of these labs is there: no container, volume, network endpoint, image name or
// file. The mirror's cache, which is the owner's and no lab's, may be.
func gone(ts *testscript.TestScript, neg bool, args []string) {
	for _, lab := range args {
		var left []string
		for what, query := range map[string][]string{
			"container":  {"ps", "-a", "--filter", "label=labctl.lab=" + lab, "--format", "{{.Names}}"},
			"volume":     {"volume", "ls", "--filter", "label=labctl.lab=" + lab, "--format", "{{.Name}}"},
			"endpoint":   {"network", "inspect", "kind", "--format", `{{range .Containers}}{{println .Name}}{{end}}`},
			"image name": {"images", "--filter", "reference=127.0.0.1*/*/*", "--format", "{{.Repository}}:{{.Tag}}"},
		} {
			out, err := output(around.command(query...))
			ts.Check(err)
			for _, name := range strings.Fields(out) {
				if what == "endpoint" && !belongs(name, lab) || what == "image name" && published(ts, name) {
					continue // another lab's
				}
				left = append(left, what+" "+name)
			}
		}
		dir := filepath.Join(ts.Getenv("LABCTL_HOME"), "labs", lab)
		if _, err := os.Lstat(dir); err == nil {
			left = append(left, dir)
		}
		if (len(left) > 0) != neg {
			ts.Fatalf("left of lab %s: %s", lab, strings.Join(left, ", "))
		}
	}
}

// belongs tells whether a container of this name would be the lab's, as the tests name their clusters.
func belongs(container, lab string) bool {
	for _, cluster := range []string{"", "my-cluster-"} {
		for _, role := range []string{"-control-plane", "-worker"} {
			if strings.HasPrefix(container, cluster+lab+role) {
				return true
			}
		}
	}
	return container == "labctl-mirror-"+lab || container == "labctl-mirror-"+lab+"-fill"
}

// published tells whether the registry that an image name leads to is some container's that runs.
func published(ts *testscript.TestScript, image string) bool {
	address, _, _ := strings.Cut(image, "/")
	_, port, err := net.SplitHostPort(address)
	ts.Check(err)
	out, err := output(around.command("ps", "--filter", "publish="+port, "--format", "{{.Names}}"))
	ts.Check(err)
	return out != ""
}

// small-disk DIR SIZE: mounts a file system of that size on an empty directory, until the script ends.
func smallDisk(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: small-disk DIR SIZE")
	}
	_, err := output(exec.Command("mount", "-t", "tmpfs", "-o", "mode=700,size="+args[1], "labctl-e2e", ts.MkAbs(args[0])))
	ts.Check(err) // it takes root, as the engine that these tests start does
	ts.Defer(func() {
		_, err := output(exec.Command("umount", "-l", ts.MkAbs(args[0])))
		ts.Check(err)
	})
}

// keepout NAME: takes a port of the loopback until the script ends, and puts its number into the
// variable NAME.
func keepPort(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: keepout NAME")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { listener.Close() })
	ts.Setenv(args[0], strconv.Itoa(listener.Addr().(*net.TCPAddr).Port))
}
