package faultproxy

import (
	"net/http"
	"strings"
)

// Kind is what goes wrong with a call.
type Kind string

// The kinds of fault.
const (
	KillBefore  Kind = "killed before"       // the process under test ends; AWS never sees the call
	KillAfter   Kind = "killed after"        // AWS acts, and the process ends before it hears of it
	DropAfter   Kind = "dropped after"       // AWS acts, and the connection ends without a response
	ErrorAfter  Kind = "500 after"           // AWS acts, and answers with an internal error
	ErrorBefore Kind = "500 before"          // AWS does nothing, and says so
	Throttle400 Kind = "throttled (400)"     // Throttling
	Throttle503 Kind = "throttled (503)"     // RequestLimitExceeded
	NoCapacity  Kind = "no capacity"         // InsufficientInstanceCapacity, which AWS gives with 500
	Denied      Kind = "denied by IAM"       // UnauthorizedOperation
	NotFree     Kind = "not free"            // InvalidParameterCombination, which AWS gives accounts on its free plan
	Expired     Kind = "credentials expired" // RequestExpired
	Protected   Kind = "protected"           // OperationNotPermitted: termination protection
	Dies        Kind = "dies while pending"  // RunInstances succeeds, and the instance is terminated
)

// Fault is one thing that goes wrong.
type Fault struct {
	Kind Kind
	// Action is the call that it happens to; "" is any that changes something.
	Action string
	// After is how many matching calls go well first.
	After int
	// Times is how many calls it happens to; 0 is once, negative is always.
	Times int
	// Region and Type, where set, are the only region and instance type in which it happens.
	Region, Type string

	seen, done int
}

// matches counts the call and tells whether the fault happens to it.
func (f *Fault) matches(req *request) bool {
	if f.Action != req.action && (f.Action != "" || !mutating(req.action)) {
		return false
	}
	if f.Region != "" && f.Region != req.region || f.Type != "" && f.Type != req.form.Get("InstanceType") {
		return false
	}
	f.seen++
	times := f.Times
	if times == 0 {
		times = 1
	}
	if f.seen <= f.After || times > 0 && f.done >= times {
		return false
	}
	f.done++
	return true
}

func (p *Proxy) fault(req *request) (Kind, func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.faults {
		if f.matches(req) {
			return f.Kind, p.options.Kill
		}
	}
	return "", nil
}

// secretBlob stands for what AWS encodes into a denial; it must never be shown.
const secretBlob = "Zm9yLUFXUy1leWVzLW9ubHk"

// SecretBlob is what no message of labctl may contain.
const SecretBlob = secretBlob

// faulty serves a call with the fault that is due.
func (p *Proxy) faulty(req *request) answer {
	kind, kill := p.fault(req)
	switch kind {
	case KillBefore:
		kill()
		return answer{drop: true}
	case KillAfter:
		p.serve(req)
		kill()
		return answer{drop: true}
	case DropAfter:
		p.serve(req)
		return answer{drop: true}
	case ErrorAfter:
		p.serve(req)
		return failure(req, http.StatusInternalServerError, "InternalError", "An internal error has occurred")
	case ErrorBefore:
		return failure(req, http.StatusInternalServerError, "InternalError", "An internal error has occurred")
	case Throttle400:
		return failure(req, http.StatusBadRequest, "Throttling", "Rate exceeded")
	case Throttle503:
		return failure(req, http.StatusServiceUnavailable, "RequestLimitExceeded", "Request limit exceeded.")
	case NoCapacity:
		return failure(req, http.StatusInternalServerError, "InsufficientInstanceCapacity", "We currently do not have sufficient capacity in the Availability Zone you requested.")
	case Denied:
		return failure(req, http.StatusForbidden, "UnauthorizedOperation", "You are not authorized to perform this operation. User: arn:aws:iam::123456789012:user/x is not authorized to perform: ec2:"+
			req.action+" on resource: * because no identity-based policy allows it. Encoded authorization failure message: "+secretBlob)
	case NotFree:
		return failure(req, http.StatusBadRequest, "InvalidParameterCombination", "The specified instance type is not eligible for Free Tier. For a list of Free Tier instance types, run 'describe-instance-types' with the filter 'free-tier-eligible=true'.")
	case Expired:
		return failure(req, http.StatusBadRequest, "RequestExpired", "Request has expired.")
	case Protected:
		return failure(req, http.StatusBadRequest, "OperationNotPermitted", "The instance may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.")
	case Dies:
		a := p.serve(req)
		p.kill(req, a)
		return a
	}
	return p.serve(req)
}

// failure is an error as the service writes it.
func failure(req *request, status int, code, message string) answer {
	escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(message)
	inner := "<Code>" + code + "</Code><Message>" + escaped + "</Message>"
	body := "<Response><Errors><Error>" + inner + "</Error></Errors><RequestID>faultproxy</RequestID></Response>"
	if req.service == "sts" {
		body = "<ErrorResponse><Error><Type>Sender</Type>" + inner + "</Error><RequestId>faultproxy</RequestId></ErrorResponse>"
	}
	return answer{status: status, body: []byte(`<?xml version="1.0" encoding="UTF-8"?>` + body)}
}
