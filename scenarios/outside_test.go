package scenarios

import (
	"fmt"
	"strings"
	"testing"
)

// pullFailed is what containerd 2 says of an image, as the kubelet passes it on, with the cause at its end.
func pullFailed(image, cause string) string {
	full := "docker.io/" + image
	return fmt.Sprintf(`failed to pull and unpack image %q: failed to resolve reference %q: %s`, full, full, strings.ReplaceAll(cause, "IMAGE", full))
}

func TestFaultsOfTheEnvironment(t *testing.T) {
	for _, message := range []string{
		limited, noDNS,
		pullFailed("library/nginx:1.25", `unexpected status from HEAD request to https://registry-1.docker.io/v2/library/nginx/manifests/1.25: 429 Too Many Requests`),
		pullFailed("library/nginx:1.25", `failed to do request: Head "https://registry-1.docker.io/v2/library/nginx/manifests/1.25": dial tcp: lookup registry-1.docker.io on 172.18.0.1:53: server misbehaving`),
		pullFailed("library/nginx:1.25", `failed to do request: Head "https://registry-1.docker.io/v2/": dial tcp 3.4.5.6:443: i/o timeout`),
		pullFailed("library/nginx:1.25", `failed to do request: Head "https://registry-1.docker.io/v2/": net/http: TLS handshake timeout`),
		pullFailed("library/nginx:1.25", `failed to do request: Head "https://registry-1.docker.io/v2/": dial tcp 3.4.5.6:443: connect: connection refused`),
		pullFailed("library/nginx:1.25", `failed to do request: Head "https://registry-1.docker.io/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority`),
		pullFailed("library/nginx:1.25", `unexpected status from HEAD request to https://registry-1.docker.io/v2/library/nginx/manifests/1.25: 503 Service Unavailable`),
		pullFailed("library/nginx:1.25", `failed to copy: httpReadSeeker: failed open: unexpected status code https://registry-1.docker.io/v2/blobs/sha256:00: 500`),
		pullFailed("library/nginx:1.25", `failed to copy: read tcp 10.0.0.1:3344->3.4.5.6:443: read: connection reset by peer`),
		pullFailed("library/nginx:1.25", `failed to copy: httpReadSeeker: failed open: unexpected EOF`),
		`rpc error: code = DeadlineExceeded desc = context deadline exceeded`,
		`rpc error: code = Unknown desc = toomanyrequests: You have reached your pull rate limit.`,
		`failed to do request: Head "https://registry-1.docker.io/v2/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
		`failed to extract layer sha256:00: write /var/lib/containerd/x: no space left on device`,
	} {
		if !environmental(message) {
			t.Errorf("taken for the exercise's own fault: %s", message)
		}
		if back := fmt.Sprintf("Back-off pulling image %q: ErrImagePull: %s", "nginx:1.25", message); !environmental(back) {
			t.Errorf("taken for the exercise's own fault: %s", back)
		}
	}
}

// hostile are images whose names hold what tells of a fault of the environment.
var hostile = []string{
	"x509:1", "x509", "toomanyrequests/nginx", "toomanyrequests:latest", "no-such-host", "connection-refused:500", "nginx:503", "nginx:500",
	"eof", "unexpected-eof", "429-too-many-requests:1", "registry.example:5000/x509", "i/o-timeout", "deadline-exceeded", "nginx@sha256:" + strings.Repeat("5", 64),
}

func TestTheLearnersWordsAreNoFaultOfTheEnvironment(t *testing.T) {
	for _, image := range hostile {
		for _, cause := range []string{
			`IMAGE: not found`,
			`pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`,
			`unexpected status from HEAD request to https://registry-1.docker.io/v2/` + image + `/manifests/` + image + `: 404 Not Found`,
			`failed to do request: Head "https://registry-1.docker.io/v2/` + image + `: x509: ": not found`,
		} {
			message := pullFailed(image, cause)
			if environmental(message) {
				t.Errorf("taken for a fault of the environment: %s", message)
			}
			s := brokenPod(t)
			s.put(barePod(t, image, "Pending", waiting("ErrImagePull", message), false))
			if c := s.sc.checked(s.assess()); c.Verdict != DoesNotHold {
				t.Errorf("%s: check says %s: %s", image, c.Verdict, c.Reason)
			}
		}
	}
}
