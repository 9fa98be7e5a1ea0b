package scenarios

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/labfile"
)

// The program of the catalogue's crashloop itself, run by this machine's shell as the container runs it.
func TestShopTakesEveryRightAddress(t *testing.T) {
	d, err := Lookup("crashloop")
	if err != nil {
		t.Fatal(err)
	}
	deployment := stageOf(t, &labfile.Scenario{Definition: d}).sc.objs[0]
	containers, _, _ := unstructured.NestedSlice(deployment.Object, "spec", "template", "spec", "containers")
	var command []string
	for _, word := range containers[0].(map[string]any)["command"].([]any) {
		command = append(command, word.(string))
	}
	for value, right := range map[string]bool{
		"postgres://db.example:5432/shop":   true,
		"postgres://db.example/shop":        true,
		"postgresql://db.example:5432/shop": true,
		"POSTGRES://DB.EXAMPLE:5432/SHOP":   true,
		"PostgreSQL://db.example/shop":      true,
		"postgresql://shop:s3cr3t%20x@db.example:5432/shop?sslmode=require&connect_timeout=3": true,
		"postgresql:///shop?host=/var/run/postgresql":                                         true,
		"postgres://[2001:db8::1]:5432/shop":                                                  true,
		"postgres://a.example,b.example:5433/shop":                                            true,
		"postgres://db.example/shop\n":                                                        true, // as `echo | base64` makes a Secret
		"":                                                                                    false,
		" ":                                                                                   false,
		"postgres":                                                                            false,
		"postgres://":                                                                         false,
		"postgres:db.example":                                                                 false,
		"mysql://db.example/shop":                                                             false,
		"http://db.example":                                                                   false,
		"xpostgres://db.example":                                                              false,
		"$(touch pwned)":                                                                      false,
	} {
		t.Run(value, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, command[0], command[1:]...)
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "DATABASE_URL=" + value}
			out, err := cmd.StdoutPipe()
			if err == nil {
				err = cmd.Start()
			}
			if err != nil {
				t.Fatal(err)
			}
			opened := false
			for lines := bufio.NewScanner(out); !opened && lines.Scan(); {
				opened = lines.Text() == "shop: open for customers"
			}
			if opened {
				_ = cmd.Process.Kill()
			}
			_ = cmd.Wait()
			if opened != right || !opened && cmd.ProcessState.ExitCode() != 1 {
				t.Errorf("opened %v, exit code %d", opened, cmd.ProcessState.ExitCode())
			}
		})
	}
}
