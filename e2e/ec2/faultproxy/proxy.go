// Package faultproxy makes of moto_server an EC2 that behaves as AWS's does where moto does not: client
// tokens, groups that cannot be deleted while they are in use, things that are not shown at once and
// states that take time, console output. It injects faults, and it writes down every call.
package faultproxy

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Options are how the proxy behaves. The zero value is an EC2 without delays.
type Options struct {
	// Lag is for how long what was made is not shown, and what was changed or deleted is shown as it was.
	Lag time.Duration
	// Pending, Stopping and ShuttingDown are how long an instance is in those states.
	Pending, Stopping, ShuttingDown time.Duration
	// Console answers GetConsoleOutput; nil answers with nothing.
	Console func(instanceID string) string
	// Reachable shows an instance's private address as its public one too: nothing routes to the public
	// ones that moto invents.
	Reachable bool
	// Address, where set, gives the address that is shown instead of an instance's public one.
	Address func(public string) string
	// Ahead is how far AWS's clock is ahead of this machine's, as the Date of its answers says.
	Ahead time.Duration
	// Now is AWS's clock but for that; nil is the machine's.
	Now func() time.Time
	// Before, where set, is told of each action before it is served: what happens at that moment.
	Before func(action string)
	// Kill ends the process under test and returns once it has ended (KillBefore, KillAfter).
	Kill func()
}

// Call is one call that was made.
type Call struct {
	Service  string // "ec2" or "sts"
	Action   string
	Mutating bool
	// N is the number of the call among those that change something, from 1; 0 for the others.
	N      int
	Status int
	Code   string // AWS's, of an error
	Form   url.Values
}

// Proxy is an http.Handler. It is safe for concurrent use.
type Proxy struct {
	upstream string
	client   *http.Client
	server   *httptest.Server

	mu       sync.Mutex
	options  Options
	faults   []*Fault
	calls    []Call
	mutating int
	inventory

	// serial lets one changing call through at a time, as AWS does for one group's name.
	serial sync.Mutex
}

// Start returns a proxy that serves on a port of the loopback; upstream is moto's address.
func Start(upstream string, o Options) *Proxy {
	if o.Now == nil {
		o.Now = time.Now
	}
	p := &Proxy{upstream: upstream, client: &http.Client{Timeout: time.Minute}, options: o, inventory: newWorld()}
	p.server = httptest.NewServer(p)
	return p
}

// URL is what AWS_ENDPOINT_URL is set to.
func (p *Proxy) URL() string { return p.server.URL }

// Close ends the proxy.
func (p *Proxy) Close() { p.server.CloseClientConnections(); p.server.Close() }

// Set changes how the proxy behaves from the next call on.
func (p *Proxy) Set(change func(*Options)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.options)
}

// Inject adds faults. They are tried in order; each matching call is counted by each.
func (p *Proxy) Inject(faults ...Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range faults {
		p.faults = append(p.faults, &f)
	}
}

// Heal removes the faults and forgets the calls.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults, p.calls, p.mutating = nil, nil, 0
}

// Calls returns what was called since the start or the last Heal.
func (p *Proxy) Calls() []Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Call{}, p.calls...)
}

// Mutating returns the actions of the calls that change something.
func (p *Proxy) Mutating() []string {
	var names []string
	for _, c := range p.Calls() {
		if c.Mutating {
			names = append(names, c.Action)
		}
	}
	return names
}

func mutating(action string) bool {
	for _, prefix := range []string{"Describe", "Get", "List"} {
		if strings.HasPrefix(action, prefix) {
			return false
		}
	}
	return true
}

// request is one call under way.
type request struct {
	http    *http.Request
	body    []byte
	form    url.Values
	action  string
	region  string
	service string
}

var credential = regexp.MustCompile(`Credential=[^/]+/[0-9]+/([a-z0-9-]+)/([a-z0-9]+)/`)

func readRequest(r *http.Request) (*request, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	req := &request{http: r, body: body, form: form, action: form.Get("Action")}
	if m := credential.FindStringSubmatch(r.Header.Get("Authorization")); m != nil {
		req.region, req.service = m[1], m[2]
	}
	return req, nil
}

// answer is a response, or the lack of one.
type answer struct {
	status int
	body   []byte
	drop   bool
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req, err := readRequest(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	n := p.note(req)
	p.mu.Lock()
	before, ahead := p.options.Before, p.options.Ahead
	p.mu.Unlock()
	if before != nil {
		before(req.action)
	}
	a := p.faulty(req)
	p.finish(n, a)
	if a.drop {
		// Without a byte of a response: the caller cannot know what became of its call.
		if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
			conn.Close()
		}
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	w.Header().Set("Date", p.options.Now().Add(ahead).UTC().Format(http.TimeFormat))
	w.WriteHeader(a.status)
	w.Write(a.body)
}

// note writes the call down and returns its place.
func (p *Proxy) note(req *request) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := Call{Service: req.service, Action: req.action, Mutating: mutating(req.action), Form: req.form}
	if c.Mutating {
		p.mutating++
		c.N = p.mutating
	}
	p.calls = append(p.calls, c)
	return len(p.calls) - 1
}

var errorCode = regexp.MustCompile(`<Code>([^<]+)</Code>`)

func (p *Proxy) finish(n int, a answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n >= len(p.calls) {
		return // healed meanwhile
	}
	p.calls[n].Status = a.status
	if a.status >= 400 {
		if m := errorCode.FindSubmatch(a.body); m != nil {
			p.calls[n].Code = string(m[1])
		}
	}
}

// forward asks moto. The signature is of no interest to it.
func (p *Proxy) forward(req *request) answer {
	return p.send(req, req.body)
}

func (p *Proxy) send(req *request, body []byte) answer {
	up, err := http.NewRequest(http.MethodPost, p.upstream+"/", bytes.NewReader(body))
	if err != nil {
		return failure(req, http.StatusInternalServerError, "InternalError", err.Error())
	}
	up.Header = req.http.Header.Clone()
	up.Header.Del("Accept-Encoding")
	up.Host = req.http.Host
	resp, err := p.client.Do(up)
	if err != nil {
		return failure(req, http.StatusInternalServerError, "InternalError", err.Error())
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return failure(req, http.StatusInternalServerError, "InternalError", err.Error())
	}
	return answer{status: resp.StatusCode, body: text}
}

// ask makes a call of the proxy's own, with the caller's region and account.
func (p *Proxy) ask(req *request, action string, params map[string]string) *node {
	form := url.Values{"Action": {action}, "Version": {"2016-11-15"}}
	for k, v := range params {
		form.Set(k, v)
	}
	a := p.send(req, []byte(form.Encode()))
	if a.status != http.StatusOK {
		return &node{}
	}
	return parse(a.body)
}
