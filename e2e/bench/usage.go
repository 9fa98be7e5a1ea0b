package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// usage is what a command took, its children included.
type usage struct {
	took time.Duration
	cpu  time.Duration
}

// sample is how often a process tree's memory is read.
const sample = 50 * time.Millisecond

// measured runs a command and measures it. CPU time is the kernel's, of the command and of all its
// descendants that were waited for.
func measured(cmd *exec.Cmd) (usage, error) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	began := time.Now()
	err := cmd.Run()
	u := usage{took: time.Since(began)}
	if err != nil {
		return u, fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, out.String())
	}
	u.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return u, nil
}

// memory runs a command and returns the most memory, in MB, that it and its descendants had at one
// moment: the proportional set size, which counts a page that several processes share once, since labctl,
// its kind child and its docker are one binary. Reading all of /proc for it takes time from what is
// watched, so that such a run does not count for its time.
func memory(cmd *exec.Cmd) (float64, error) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	stop, peak := make(chan struct{}), make(chan float64)
	go func() {
		var most float64
		ticker := time.NewTicker(sample)
		defer ticker.Stop()
		for {
			most = max(most, treeMB(cmd.Process.Pid))
			select {
			case <-ticker.C:
			case <-stop:
				peak <- most
				return
			}
		}
	}()
	err := cmd.Wait()
	close(stop)
	most := <-peak
	if err != nil {
		return most, fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, out.String())
	}
	return most, nil
}

// treeMB adds up the memory of a process and its descendants.
func treeMB(root int) float64 {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		raw, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		// The command's name is in parentheses and may hold spaces; the parent is the second after it.
		fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if len(fields) > 1 {
			parent, _ := strconv.Atoi(fields[1])
			children[parent] = append(children[parent], pid)
		}
	}
	total, queue := 0.0, []int{root}
	for len(queue) > 0 {
		pid := queue[0]
		queue = append(queue[1:], children[pid]...)
		total += pssMB(pid)
	}
	return total
}

func pssMB(pid int) float64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb * 1024 / 1e6
		}
	}
	return 0
}
