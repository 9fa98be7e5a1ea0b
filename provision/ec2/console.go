package ec2

import (
	"context"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/text"
	"github.com/labctl/labctl/internal/untrusted"
)

// console returns what the instance has written to its console: the newest where AWS can, else what it
// last kept.
func (c *Client) console(ctx context.Context, id string) (string, error) {
	out, err := c.ec2.GetConsoleOutput(ctx, &sdk.GetConsoleOutputInput{InstanceId: aws.String(id), Latest: aws.Bool(true)})
	if errorCode(err) == "UnsupportedOperation" { // only newer instance types have the latest
		out, err = c.ec2.GetConsoleOutput(ctx, &sdk.GetConsoleOutputInput{InstanceId: aws.String(id)})
	}
	if notFound(err) {
		return "", nil // not shown yet
	}
	if err != nil {
		return "", c.explain("GetConsoleOutput", err)
	}
	text, err := base64.StdEncoding.DecodeString(aws.ToString(out.Output))
	if err != nil {
		return "", fmt.Errorf("reading the console of %s: %w", id, err)
	}
	return strings.ToValidUTF8(string(text), "?"), nil
}

var (
	// An ed25519 key has 51 bytes, and so 68 characters: a line that the kernel has written into does
	// not match.
	hostKeyLine = regexp.MustCompile(`(?m)^LABCTL-HOSTKEY (ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI[A-Za-z0-9+/]{43})\r?$`)
	stepLine    = regexp.MustCompile(`(?m)^LABCTL-STEP (.+?)\r?$`)
)

// hostKeyIn finds the host's key in its console's text. Each boot announces it; they must agree.
func hostKeyIn(text string) (string, error) {
	var key string
	for _, m := range hostKeyLine.FindAllStringSubmatch(text, -1) {
		if key != "" && key != m[1] {
			return "", clierr.New(clierr.Refused, "the console announces two different host keys").
				WithNext("Somebody may have tampered with the host: run `labctl down`.")
		}
		key = m[1]
	}
	return key, nil
}

func consoleSteps(console string) []string {
	var steps []string
	for _, m := range stepLine.FindAllStringSubmatch(console, -1) {
		steps = append(steps, untrusted.Line(text.Strip(m[1])))
	}
	return steps
}

func lastLine(console string) string {
	if last := tail(console, 1); last != "" {
		return last
	}
	return "an empty console"
}

// tail returns the last n lines that are not empty, without the colours that systemd paints them in.
func tail(console string, n int) string {
	var lines []string
	for line := range strings.Lines(untrusted.Text(text.Strip(console))) {
		if line = strings.TrimRight(line, " \n"); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
