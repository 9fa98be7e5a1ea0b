package ec2

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/clierr"
)

// profile makes a configuration of the SDK the only one that there is.
func profile(t *testing.T, text string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": file, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_PROFILE": "", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "",
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "", "AWS_DEFAULT_REGION": "",
	} {
		t.Setenv(name, value)
	}
}

// TestSecondFactor: a profile that wants a code is refused in words, before anything else is tried.
func TestSecondFactor(t *testing.T) {
	profile(t, "[default]\nregion = eu-west-1\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = base\nmfa_serial = arn:aws:iam::123456789012:mfa/jane\n"+
		"[profile base]\naws_access_key_id = x\naws_secret_access_key = y\n")
	_, err := NewClient(t.Context(), ClientOptions{Region: "eu-west-1"})
	_, rerr := ConfiguredRegion(t.Context())
	for _, err := range []error{err, rerr} {
		if clierr.ClassOf(err) != clierr.Refused || !strings.Contains(err.Error(), "mfa_serial") || !strings.Contains(clierr.NextOf(err), "export-credentials") {
			t.Errorf("%v; next: %s", err, clierr.NextOf(err))
		}
	}
}

// TestCredentialProcess: one that takes long is waited for, and that is said; one that fails is not taken for
// credentials that nobody has configured.
func TestCredentialProcess(t *testing.T) {
	if credentialsTimeout < time.Minute {
		t.Errorf("a credential_process has %s; those that ask a person take longer", credentialsTimeout)
	}
	const credentials = `{"Version": 1, "AccessKeyId": "x", "SecretAccessKey": "y"}`
	profile(t, "[default]\ncredential_process = sh -c \"sleep 2.5; echo '"+strings.ReplaceAll(credentials, `"`, `\"`)+"'\"\n")
	var said []string
	var mu sync.Mutex
	client, err := NewClient(t.Context(), ClientOptions{Region: "eu-west-1", OnRetry: func(text string) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, text)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.LookForCredentials(t.Context()); err != nil {
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(said) != 1 || !strings.Contains(said[0], "waiting for the AWS credentials") {
		t.Errorf("it says %q", said)
	}
	profile(t, "[default]\ncredential_process = sh -c \"echo no server >&2; exit 1\"\n")
	if client, err = NewClient(t.Context(), ClientOptions{Region: "eu-west-1"}); err != nil {
		t.Fatal(err)
	}
	err = client.LookForCredentials(t.Context())
	if errors.Is(err, ErrNoCredentials) || clierr.ClassOf(err) != clierr.Refused || !strings.Contains(err.Error(), "credential_process") {
		t.Errorf("%v", err)
	}
}

// TestRetriesAreSaid: who waits is told why, once for all calls that are made side by side, and the SDK says
// nothing of its own.
func TestRetriesAreSaid(t *testing.T) {
	profile(t, "")
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, "<Response><Errors><Error><Code>Unavailable</Code><Message>later</Message></Error></Errors></Response>")
	}))
	defer server.Close()
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", "x")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "y")
	var said []string
	var mu sync.Mutex
	raw := stderrOf(t, func() {
		client, err := NewClient(t.Context(), ClientOptions{Region: "eu-west-1", Attempts: 3, MaxBackoff: time.Millisecond, OnRetry: func(text string) {
			mu.Lock()
			defer mu.Unlock()
			said = append(said, text)
		}})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if _, err := client.Regions(t.Context()); err == nil {
					t.Error("no error")
				}
			})
		}
		wg.Wait()
	})
	if want := []string{"AWS does not answer in eu-west-1 (Unavailable), trying again (2 of 3)", "AWS does not answer in eu-west-1 (Unavailable), trying again (3 of 3)"}; !slices.Equal(said, want) || calls.Load() != 9 {
		t.Errorf("after %d calls it says %q; want %q", calls.Load(), said, want)
	}
	if raw != "" {
		t.Errorf("the SDK has written %q", raw)
	}
}

// TestSlowAnswersAreSaid: an AWS that takes a connection and does not answer is not waited for in silence.
func TestSlowAnswersAreSaid(t *testing.T) {
	profile(t, "")
	said := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case text := <-said: // the answer comes when it was said that there is none
			said <- text
		case <-r.Context().Done():
		case <-time.After(10 * time.Second):
			t.Error("nothing is said")
		}
		fmt.Fprint(w, "<DescribeRegionsResponse></DescribeRegionsResponse>")
	}))
	defer server.Close()
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", "x")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "y")
	client, err := NewClient(t.Context(), ClientOptions{Region: "eu-west-1", slow: 20 * time.Millisecond, OnRetry: func(text string) { said <- text }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Regions(t.Context()); err != nil {
		t.Fatal(err)
	}
	if text := <-said; text != "AWS has not answered in eu-west-1 for 20ms, still waiting" {
		t.Errorf("it says %q", text)
	}
}

// TestTheSDKIsSilent: what it has to say about instance metadata goes nowhere.
func TestTheSDKIsSilent(t *testing.T) {
	profile(t, "")
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	t.Setenv("AWS_EC2_METADATA_DISABLED", "false")
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.URL)
	raw := stderrOf(t, func() {
		client, err := NewClient(t.Context(), ClientOptions{Region: "eu-west-1", Attempts: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := client.LookForCredentials(t.Context()); !errors.Is(err, ErrNoCredentials) {
			t.Error(err)
		}
	})
	if raw != "" {
		t.Errorf("it has written %q", raw)
	}
}

// stderrOf returns what is written to the process's stderr meanwhile.
func stderrOf(t *testing.T, act func()) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	was := os.Stderr
	os.Stderr = w
	defer func() { os.Stderr = was }()
	var text bytes.Buffer
	read := make(chan struct{})
	go func() { defer close(read); _, _ = io.Copy(&text, r) }()
	act()
	w.Close()
	<-read
	return text.String()
}
