package kind

import (
	"context"
	"net"
	"time"

	"github.com/labctl/labctl/internal/command"
)

// loopbackTimeout bounds the try of a port of this machine's own loopback, which answers or refuses at once.
const loopbackTimeout = time.Second

// DialAPI makes a connection to the API server: to the port that the engine publishes on the loopback of its
// machine, else through the engine itself. That is the way where labctl runs in a container with the engine's
// socket, or the engine is on another machine (tcp://docker:2376): nothing has to be published for others then.
// address is the server's in the kubeconfig.
func (c *Cluster) DialAPI(ctx context.Context, network, address string) (net.Conn, error) {
	if c.Dial != nil {
		return c.Dial(ctx, network, address)
	}
	dialer := net.Dialer{Timeout: loopbackTimeout}
	conn, err := dialer.DialContext(ctx, network, address)
	if err == nil || ctx.Err() != nil {
		return conn, err
	}
	// A container that does not run refuses both ways; then the port's refusal is what there is to say.
	running, lerr := c.Engine.Output(ctx, "inspect", "--format", "{{.State.Running}}", c.ControlPlane())
	if lerr != nil || running != "true\n" {
		return nil, err
	}
	return c.throughEngine(ctx), nil
}

// inNode connects its own streams with the API server of the node that it runs in. Node images have bash; socat ends
// cleaner where it is there.
const inNode = `if command -v socat >/dev/null; then exec socat STDIO TCP:127.0.0.1:6443; fi
exec 3<>/dev/tcp/127.0.0.1/6443 && { cat <&3 & exec cat >&3; }`

// throughEngine connects with the API server by a command in its node. That nothing listens there shows as the
// connection's end.
func (c *Cluster) throughEngine(ctx context.Context) net.Conn {
	near, far := net.Pipe()
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // a connection outlives the call that made it
	go func() {
		defer cancel()
		defer far.Close()
		_ = c.Engine.Runner.Run(ctx, command.Command{
			Argv:  []string{"docker", "exec", "-i", c.ControlPlane(), "bash", "-c", inNode},
			Stdin: far, Stdout: far,
		})
	}()
	return &enginePipe{Conn: near, end: cancel}
}

// enginePipe ends its command with the connection.
type enginePipe struct {
	net.Conn
	end func()
}

func (p *enginePipe) Close() error {
	defer p.end()
	return p.Conn.Close()
}

// Published reports whether the API server is reached at its address in the kubeconfig by programs of this
// machine, such as kubectl. Where it is not, DialAPI has another way.
func (c *Cluster) Published(ctx context.Context, address string) bool {
	dialer := net.Dialer{Timeout: loopbackTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
