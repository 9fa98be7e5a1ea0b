//go:build e2e

// Package account_test proves what provision/ec2 does to an AWS account: against moto's EC2 behind the
// fault proxy, in real processes that are really killed. No instance boots here.
//
//	go test -tags e2e ./e2e/ec2/account                   a cross-section, a minute
//	LABCTL_SOAK=1 go test -tags e2e ./e2e/ec2/account     the whole sweep, twelve minutes; so does the tag soak
//
// moto_server must be on the PATH; without it nothing runs, and that is said.
package account_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"

	"github.com/labctl/labctl/e2e/ec2/moto"
	"github.com/labctl/labctl/provision/ec2"
)

// server is the moto_server of this run.
var server *moto.Server

func TestMain(m *testing.M) {
	if act := os.Getenv(actVar); act != "" {
		os.Exit(child(act))
	}
	flag.Parse()
	// The tests wait more than they work: on AWS that lags, which each has a region of its own of.
	if flag.Lookup("test.parallel").Value.String() == fmt.Sprint(runtime.GOMAXPROCS(0)) {
		flag.Set("test.parallel", "6")
	}
	if flag.Lookup("test.list").Value.String() != "" {
		os.Exit(m.Run())
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	// Nothing of whoever runs the tests may reach AWS.
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
	} {
		os.Setenv(name, value)
	}
	for _, name := range []string{"AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"} {
		os.Unsetenv(name)
	}
	var err error
	if server, err = moto.Start(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "e2e/ec2/account: NOT RUN:", err)
		return 1
	}
	code := m.Run()
	server.Stop()
	if programDir != "" {
		os.RemoveAll(programDir)
	}
	if filter := flag.Lookup("test.run").Value.String(); code == 0 && filter == "" {
		code = checkPolicy()
	}
	if code != 0 {
		fmt.Fprintln(os.Stderr, server.Errors())
	}
	return code
}

// checkPolicy compares the policy with what all the tests together have called.
func checkPolicy() int {
	code := 0
	allowed, err := policyActions()
	if err != nil {
		fmt.Fprintln(os.Stderr, "--- FAIL:", err)
		return 1
	}
	used.Range(func(action, _ any) bool {
		if !slices.Contains(allowed, action.(string)) {
			fmt.Fprintf(os.Stderr, "--- FAIL: %s was called, and the policy does not allow it\n", action)
			code = 1
		}
		return true
	})
	for _, action := range allowed {
		if _, ok := used.Load(action); !ok {
			fmt.Fprintf(os.Stderr, "--- FAIL: the policy allows %s, and no test has called it\n", action)
			code = 1
		}
	}
	return code
}

// policyActions are what the policy allows.
func policyActions() ([]string, error) {
	var policy struct {
		Statement []struct{ Action any }
	}
	if err := json.Unmarshal([]byte(ec2.Policy()), &policy); err != nil {
		return nil, err
	}
	var all []string
	for _, s := range policy.Statement {
		switch a := s.Action.(type) {
		case string:
			all = append(all, a)
		case []any:
			for _, one := range a {
				all = append(all, one.(string))
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}
