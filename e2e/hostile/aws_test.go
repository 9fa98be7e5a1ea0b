//go:build e2e

package hostile

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// cloud answers what labctl asks of AWS about one lab's host: one security group, one instance.
type cloud struct {
	url string
	// first, where set, answers a request and says that it did.
	first func(http.ResponseWriter, *http.Request) bool

	visits atomic.Int64
	mu     sync.Mutex
	tags   map[string]string
	state  string // of the instance
	group  bool   // it is there
	at     string // the instance's address
}

const (
	instanceID = "i-0123456789abcdef0"
	groupID    = "sg-0123456789abcdef0"
	region     = "eu-central-1"
	account    = "123456789012"
	from       = "203.0.113.7/32"
)

func startCloud(t testing.TB, tags map[string]string, at string) *cloud {
	t.Helper()
	c := &cloud{tags: tags, state: "running", group: true, at: at}
	s := httptest.NewServer(http.HandlerFunc(c.serve))
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	c.url = s.URL
	return c
}

func (c *cloud) serve(w http.ResponseWriter, r *http.Request) {
	c.visits.Add(1)
	if c.first != nil && c.first(w, r) {
		return
	}
	if err := r.ParseForm(); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	action := r.PostForm.Get("Action")
	answer := func(inner string) {
		w.Header().Set("Content-Type", "text/xml")
		_, _ = fmt.Fprintf(w, "<%sResponse><requestId>1</requestId>%s</%sResponse>", action, inner, action)
	}
	switch action {
	case "GetCallerIdentity":
		answer("<GetCallerIdentityResult><Account>" + account + "</Account><Arn>arn:aws:iam::" + account + ":user/jane</Arn><UserId>x</UserId></GetCallerIdentityResult>")
	case "DescribeRegions":
		answer("<regionInfo><item><regionName>" + region + "</regionName></item></regionInfo>")
	case "DescribeSecurityGroups":
		answer("<securityGroupInfo>" + c.groups() + "</securityGroupInfo>")
	case "DescribeInstances":
		answer("<reservationSet><item><instancesSet>" + c.instances() + "</instancesSet></item></reservationSet>")
	case "DescribeVolumes":
		answer("<volumeSet></volumeSet>")
	case "StopInstances":
		c.state = "stopped"
		answer("<instancesSet></instancesSet>")
	case "StartInstances":
		c.state = "running"
		answer("<instancesSet></instancesSet>")
	case "TerminateInstances":
		c.state = "terminated"
		answer("<instancesSet></instancesSet>")
	case "DeleteSecurityGroup":
		c.group = false
		answer("<return>true</return>")
	case "CreateTags":
		for i := 1; r.PostForm.Get(fmt.Sprintf("Tag.%d.Key", i)) != ""; i++ {
			c.tags[r.PostForm.Get(fmt.Sprintf("Tag.%d.Key", i))] = r.PostForm.Get(fmt.Sprintf("Tag.%d.Value", i))
		}
		answer("<return>true</return>")
	case "AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress":
		answer("<return>true</return>")
	default:
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, "<Response><Errors><Error><Code>UnsupportedOperation</Code><Message>not in the tests: "+action+"</Message></Error></Errors><RequestID>1</RequestID></Response>")
	}
}

func (c *cloud) tagSet() string {
	var all strings.Builder
	for k, v := range c.tags {
		fmt.Fprintf(&all, "<item><key>%s</key><value>%s</value></item>", k, v)
	}
	return "<tagSet>" + all.String() + "</tagSet>"
}

func (c *cloud) groups() string {
	if !c.group {
		return ""
	}
	return "<item><groupId>" + groupID + "</groupId><groupName>" + c.tags["name"] + "</groupName><vpcId>vpc-1</vpcId>" +
		"<ipPermissions><item><ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort><ipRanges><item><cidrIp>" + from + "</cidrIp></item></ipRanges></item></ipPermissions>" + c.tagSet() + "</item>"
}

func (c *cloud) instances() string {
	return "<item><instanceId>" + instanceID + "</instanceId><imageId>ami-0deb12000000000a1</imageId><instanceState><code>16</code><name>" + c.state + "</name></instanceState>" +
		"<instanceType>t3.large</instanceType><launchTime>2026-01-01T00:00:00.000Z</launchTime><placement><availabilityZone>" + region + "a</availabilityZone></placement>" +
		"<ipAddress>" + c.at + "</ipAddress><privateIpAddress>" + c.at + "</privateIpAddress>" +
		"<groupSet><item><groupId>" + groupID + "</groupId></item></groupSet>" + c.tagSet() + "</item>"
}
