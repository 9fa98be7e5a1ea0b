package lab

import (
	"context"
	"time"
)

// interruptedOps says what a lock has to wait for of what a killed labctl left under way on the engine.
type interruptedOps int

const (
	// awaitAll: nothing of it can take effect any more, and what was being stopped has stopped.
	awaitAll interruptedOps = iota
	// awaitMaking: what was being stopped may go on, as what is about to stop is about to go.
	awaitMaking
	// awaitNone: nothing is asked of the engine.
	awaitNone
)

// awaitEngine bounds the wait for what was left under way on a host, which may not be reached now.
const awaitEngine = 20 * time.Second

// Lock takes the lab's lock for what changes something, and waits until nothing that a killed labctl left under
// way can come between. It refuses (clierr.Refused) while another labctl has the lock, and says who that is.
func (l *Lab) Lock(ctx context.Context) (release func(), err error) { return l.lock(ctx, awaitAll) }

func (l *Lab) lock(ctx context.Context, ops interruptedOps) (release func(), err error) {
	lock, err := l.files.Lock(ctx, l.m.holder(l.state.Owner))
	if err != nil {
		return nil, err
	}
	l.cluster.Lock = lock
	if err = l.reread(); err == nil && ops != awaitNone {
		err = l.awaitInterruptedOps(ctx, ops)
	}
	if err != nil {
		lock.Release()
		return nil, err
	}
	return lock.Release, nil
}

// reread takes over what the lock's last holder has written since the state was read.
func (l *Lab) reread() error {
	st, err := l.files.Load()
	known := err == nil && st.Owner == l.state.Owner
	if known {
		l.state.Cluster, l.state.Engine = st.Cluster, st.Engine
	}
	if l.remote == nil {
		return nil
	}
	if known {
		host, err := hostOf(st)
		if err != nil {
			return err
		}
		l.state.Host, *l.remote.State = st.Host, *host
	}
	return l.remote.keepKeys(l.files)
}

// awaitInterruptedOps waits for what a killed labctl left under way on the engine. That of a host which cannot be
// reached now, and may be on its way, does not hold anything up.
func (l *Lab) awaitInterruptedOps(ctx context.Context, ops interruptedOps) error {
	bounded := ctx
	if l.remote != nil {
		var cancel context.CancelFunc
		bounded, cancel = context.WithTimeout(ctx, awaitEngine)
		defer cancel()
	}
	err := l.engine.AwaitInterruptedOps(bounded, ops == awaitAll, l.cluster.Ownership.Labels()...)
	if l.remote != nil && ctx.Err() == nil {
		return nil
	}
	return err
}

// save puts the state on disk. The caller holds the lab's lock.
func (l *Lab) save() error { return l.files.Save(l.state) }
