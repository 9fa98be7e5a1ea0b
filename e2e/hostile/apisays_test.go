//go:build e2e

package hostile

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// nasty is text that a terminal would obey, as JSON writes it.
const nasty = `\u001b[2J\u001b]0;owned\u0007\u009b31m\u0085\u007f\b\rover\u202eturned\u2066`

// first answers every request.
func first(b behaviour, f func(http.ResponseWriter, *http.Request)) behaviour {
	b.prepare = func(_ *testing.T, s *stage) {
		s.api.first = func(w http.ResponseWriter, r *http.Request) bool { f(w, r); return true }
	}
	return b
}

// wire has the connection itself.
func wire(b behaviour, f func(net.Conn)) behaviour {
	b.prepare = func(_ *testing.T, s *stage) { s.api.conn = f }
	return b
}

// rewritten changes what the honest server answers.
func rewritten(b behaviour, f func(string) string) behaviour {
	b.prepare = func(_ *testing.T, s *stage) {
		s.api.rewrite = func(_ *http.Request, body []byte) []byte { return []byte(f(string(body))) }
	}
	return b
}

func body(text string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, text)
	}
}

func status(code int, text string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, text)
	}
}

func refusal(code int, reason, message string) func(http.ResponseWriter, *http.Request) {
	return status(code, fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","status":"Failure","code":%d,"reason":%q,"message":"%s"}`, code, reason, message))
}

// flood sends head and then blocks without an end, until the client goes.
func flood(head, block string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, head)
		pour(w, []byte(strings.Repeat(block, 1<<20/len(block)+1)))
	}
}

func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // only then is it seen that the client has gone
	<-r.Context().Done()
}

var (
	texts   = regexp.MustCompile(`"(message|reason|phase|image|says|kubeletVersion)":"([^"]*)"`)
	numbers = regexp.MustCompile(`":(-?\d+|true|false)([,}])`)
	values  = regexp.MustCompile(`":"[^"]*"`)
)

func named(name string, b behaviour) behaviour {
	b.name, b.side = "api "+name, api
	return b
}

var apiBehaviours = []behaviour{
	named("well", behaviour{well: true, prepare: func(*testing.T, *stage) {}}),
	named("refused", behaviour{dead: true, prepare: func(t *testing.T, s *stage) { s.api.close() }}),
	named("closes", wire(behaviour{dead: true}, func(c net.Conn) { _ = c.Close() })),
	named("silent", wire(behaviour{dead: true, waits: true}, func(net.Conn) {})),
	named("plain", wire(behaviour{dead: true}, func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		_ = c.Close()
	})),
	named("endless wire", wire(behaviour{dead: true}, func(c net.Conn) {
		forever(c)
	})),
	named("other certificate", behaviour{dead: true, prepare: func(t *testing.T, s *stage) {
		p, err := newPKI()
		if err != nil {
			t.Fatal(err)
		}
		s.api.certificate(p.server)
	}}),
	named("silent handler", first(behaviour{dead: true, waits: true}, hang)),
	named("silent body", first(behaviour{dead: true, waits: true}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"kind":"List","items":[`)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})),
	named("breaks off", first(behaviour{dead: true}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "4096")
		_, _ = io.WriteString(w, `{"kind":"List","apiVersion":"v1","items":[{"metadata":`)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})),
	named("trickles", first(behaviour{dead: true, waits: true}, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, " ")
			w.(http.Flusher).Flush()
			time.Sleep(200 * time.Millisecond)
		}
	})),
	named("half", behaviour{dead: true, prepare: rewritten(behaviour{}, func(s string) string { return s[:len(s)/2] }).prepare}),
	named("empty", first(behaviour{dead: true}, body(""))),
	named("null", first(behaviour{dead: true}, body("null"))),
	named("empty object", first(behaviour{}, body("{}"))),
	named("number", first(behaviour{dead: true}, body("7"))),
	named("html", first(behaviour{dead: true}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<html><body><h1>Sign in to the hotel's network</h1></body></html>")
	})),
	named("500", first(behaviour{dead: true, waits: true}, refusal(500, "InternalError", "etcd is away"))),
	named("503", first(behaviour{dead: true, waits: true}, refusal(503, "ServiceUnavailable", "not now"))),
	named("429", first(behaviour{dead: true, waits: true}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "100000")
		refusal(429, "TooManyRequests", "later")(w, r)
	})),
	named("502 html", first(behaviour{dead: true, waits: true}, status(502, "<html>\u009b31m bad gateway \x1b[31m</html>"))),
	named("401", first(behaviour{dead: true, waits: true}, refusal(401, "Unauthorized", "who are you"))),
	named("403", first(behaviour{dead: true, waits: true}, refusal(403, "Forbidden", "no"))),
	named("404", first(behaviour{}, refusal(404, "NotFound", "nothing here"))),
	named("nasty refusal", first(behaviour{dead: true, waits: true}, refusal(403, "Forbidden", nasty))),
	named("nasty refusal-json", first(behaviour{dead: true, waits: true, json: true}, refusal(403, "Forbidden", nasty))),
	named("redirects", behaviour{dead: true, prepare: func(t *testing.T, s *stage) {
		at, visited := elsewhere(s.tb)
		first(behaviour{}, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, at+r.URL.Path, http.StatusTemporaryRedirect)
		}).prepare(t, s)
		s.then = func() []string {
			if visited() > 0 {
				return []string{"it went where the API server sent it"}
			}
			return nil
		}
	}}),
	named("redirects in circles", first(behaviour{dead: true}, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Path+"x", http.StatusMovedPermanently)
	})),
	named("endless", first(behaviour{dead: true}, flood(`{"kind":"List","apiVersion":"v1","items":[{"metadata":{"name":"`, "A"))),
	named("endless list", first(behaviour{dead: true}, flood(`{"kind":"List","apiVersion":"v1","metadata":{},"items":[{}`, `,{"kind":"Pod","apiVersion":"v1","metadata":{"name":"x"}}`))),
	named("endless refusal", first(behaviour{dead: true, waits: true}, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(500)
		flood("", "A")(w, r)
	})),
	named("endless header", wireTLS(behaviour{dead: true}, func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nX: ")
		forever(c)
	})),
	named("endless events", behaviour{prepare: func(_ *testing.T, s *stage) {
		s.api.first = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Query().Get("watch") != "true" {
				return false
			}
			flood("", `{"type":"MODIFIED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"x","resourceVersion":"9"}}}`+"\n")(w, r)
			return true
		}
	}}),
	named("endless event", behaviour{prepare: func(_ *testing.T, s *stage) {
		s.api.first = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Query().Get("watch") != "true" {
				return false
			}
			flood(`{"type":"MODIFIED","object":{"kind":"`, "A")(w, r)
			return true
		}
	}}),
	named("deep", first(behaviour{dead: true}, body(`{"kind":"List","items":`+strings.Repeat("[", 200_000)+strings.Repeat("]", 200_000)+"}"))),
	named("types", rewritten(behaviour{}, func(s string) string {
		return values.ReplaceAllString(numbers.ReplaceAllString(s, `":"$1"$2`), `":[7]`)
	})),
	named("numbers as text", rewritten(behaviour{}, func(s string) string { return numbers.ReplaceAllString(s, `":"$1"$2`) })),
	named("nulls", rewritten(behaviour{}, func(s string) string { return values.ReplaceAllString(s, `":null`) })),
	named("items are numbers", rewritten(behaviour{}, func(s string) string {
		return regexp.MustCompile(`"items":\[.*\]`).ReplaceAllString(s, `"items":[7,null,"x",[]]`)
	})),
	named("nasty", rewritten(behaviour{}, func(s string) string { return texts.ReplaceAllString(s, `"$1":"$2`+nasty+`"`) })),
	named("nasty-json", rewritten(behaviour{json: true}, func(s string) string { return texts.ReplaceAllString(s, `"$1":"$2`+nasty+`"`) })),
	named("nasty statuses", rewritten(behaviour{}, func(s string) string {
		return strings.NewReplacer(`"status":"True"`, `"status":"False","message":"`+nasty+`"`, `"reason":"ErrImagePull"`, `"reason":"`+nasty+`"`).Replace(s)
	})),
	named("version path", rewritten(behaviour{}, func(s string) string { return strings.ReplaceAll(s, "v1.35.4", "v1.35.0/../../../../tmp/x") })),
	named("version text", rewritten(behaviour{}, func(s string) string { return strings.ReplaceAll(s, "v1.35.4", "v1.35.4;touch "+canary+nasty) })),
	named("foreign marks", rewritten(behaviour{}, func(s string) string { return strings.ReplaceAll(s, `"labctl/lab":"hostile"`, `"labctl/lab":"theirs"`) })),
	named("other uids", rewritten(behaviour{}, func(s string) string { return regexp.MustCompile(`"uid":"[^"]*"`).ReplaceAllString(s, `"uid":"other"`) })),
	named("other names", rewritten(behaviour{}, func(s string) string { return strings.ReplaceAll(s, `"name":"`, `"name":"../../x`) })),
	named("record broken", record(`{bad`)),
	named("record empty", record(``)),
	named("record of types", record(`{"version":"x","begun":7,"objects":[1]}`)),
	named("record newer", record(`{"version":99}`)),
	named("record nasty", record(`{"version":1,"begun":"2026-01-01T00:00:00Z","objects":{"Pod/`+nasty+`":{"kind":"`+nasty+`","name":"`+nasty+`","uid":"`+nasty+`"}},"complete":true}`)),
	named("record of others", record(`{"version":1,"begun":"2026-01-01T00:00:00Z","complete":true,"objects":{"Deployment/coredns":{"kind":"Deployment.apps","namespace":"kube-system","name":"coredns","uid":"x","spec":"y"}}}`)),
	named("clock", behaviour{prepare: func(_ *testing.T, s *stage) {
		s.api.first = func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Date", "Thu, 01 Jan 1970 00:00:00 GMT")
			return false
		}
	}}),
}

// record replaces the lab's record of the scenario, and is no answer of the server's own.
func record(text string) behaviour {
	return behaviour{prepare: func(t *testing.T, s *stage) {
		quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text)
		rewritten(behaviour{}, func(body string) string {
			return regexp.MustCompile(`"imagepull":"(\\.|[^"\\])*"`).ReplaceAllLiteralString(body, `"imagepull":"`+quoted+`"`)
		}).prepare(t, s)
	}}
}
