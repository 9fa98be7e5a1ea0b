// Command tally reads what `go test -json` says, shows people what matters of it, and counts the tests
// of each kind. It judges nothing that go test has not judged, and it never takes a test that did not
// run for one that passed.
//
//	go test -json ./... | tally record -stage unit -out unit.json
//	go test -list . -tags e2e ./e2e | tally not-run -stage real-cluster -why "no engine" -out real.json
//	tally sum [-strict] unit.json real.json
//
// Its exit code is 0 when nothing failed, 1 when something did, 2 for a wrong command line.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// errFailed says that tests failed; what failed has been printed already.
var errFailed = errors.New("tests failed")

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	err := dispatch(args, stdin, stdout, stderr)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errFailed):
		return 1
	case errors.Is(err, flag.ErrHelp):
		return 2
	}
	fmt.Fprintln(stderr, "tally:", err)
	return 2
}

func dispatch(args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return errors.New("which command: record, not-run or sum")
	}
	flags := flag.NewFlagSet("tally "+args[0], flag.ContinueOnError)
	flags.SetOutput(stderr)
	stage := flags.String("stage", "unit", "what kind of test this run holds where a test's name does not say")
	out := flags.String("out", "", "the `file` that takes the record")
	why := flags.String("why", "", "why the stage could not run")
	verbose := flags.Bool("v", false, "also show each test that passed: for runs of many minutes")
	strict := flags.Bool("strict", false, "real-cluster tests that did not run are failures")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch args[0] {
	case "record":
		record, err := follow(stdin, printer{out: stdout, verbose: *verbose})
		if err != nil {
			return err
		}
		record.Stage = *stage
		return save(*out, record)
	case "not-run":
		record, err := listed(stdin)
		if err != nil {
			return err
		}
		record.Stage, record.Why = *stage, *why
		return save(*out, record)
	case "sum":
		records, err := load(flags.Args())
		if err != nil {
			return err
		}
		return sum(records, *strict).print(stdout)
	}
	return fmt.Errorf("no command %q: record, not-run or sum", args[0])
}
