// Package sample chooses what a run of the tests takes of a sweep that would take too long as a whole: a part that
// changes with the commit, so that all of it is seen in time. The whole is what `make soak` runs.
package sample

import (
	"hash/fnv"
	"os"
	"os/exec"
	"strconv"
	"sync"
)

// Whole reports whether sweeps are run as a whole: with the build tag soak, or where LABCTL_SOAK is 1.
func Whole() bool { return tag || os.Getenv("LABCTL_SOAK") == "1" }

// Takes reports whether point n of a sweep is taken when one of every so many is, or the whole. LABCTL_SAMPLE, a number, stands in for
// the commit; where neither is known it is 0.
func Takes(n, every int) bool { return Whole() || every <= 1 || n%every == int(start()%uint32(every)) }

var start = sync.OnceValue(func() uint32 {
	if n, err := strconv.ParseUint(os.Getenv("LABCTL_SAMPLE"), 10, 32); err == nil {
		return uint32(n)
	}
	commit, err := exec.Command("git", "rev-parse", "HEAD").Output()
	if err != nil {
		return 0
	}
	sum := fnv.New32a()
	_, _ = sum.Write(commit)
	return sum.Sum32()
})
