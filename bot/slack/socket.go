package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"ltxbot/internal/retry"
)

// connections is how many connections a process holds. Slack closes each
// every few hours and sends nothing twice: with two, one is always open.
// https://docs.slack.dev/apis/events-api/using-socket-mode#connections
const connections = 2

// How connections are supervised.
const (
	ackWithin    = 2500 * time.Millisecond // of the three seconds that Slack waits
	maxAcks      = 1024                    // acknowledgements on their way to a connection
	steady       = time.Minute             // a connection that lasts as long is a good one
	longestPause = 5 * time.Minute         // between tries to connect
	mostBroken   = 3                       // connections in a row that may break at once before a pause
)

// connect opens the connections and returns when the first one is there.
func (b *Bot) connect(ctx, life context.Context) error {
	ready := make(chan error, connections)
	b.group.Go(func() { b.remind(life) })
	for n := range connections {
		l := &listener{bot: b, number: n + 1, ready: ready}
		b.group.Go(func() { l.supervise(life) })
	}
	select {
	case err := <-ready:
		return err
	case <-ctx.Done():
		return fmt.Errorf("connect to slack: %w", context.Cause(ctx))
	}
}

// listener holds one connection of Socket Mode.
type listener struct {
	bot    *Bot
	number int
	ready  chan<- error
	opened time.Time   // the last connection
	broken int         // connections in a row that broke at once
	live   bool        // events come
	warned atomic.Bool // Slack said with the last address that Socket Mode is off
}

// supervise keeps a connection open until ctx is done or an error stays.
// slack-go connects again by itself, without a pause when a connection was
// made but broke at once: then it is stopped for a while.
func (l *listener) supervise(ctx context.Context) {
	pause := l.bot.cfg.Timing.Reconnect
	for ctx.Err() == nil {
		begun := time.Now()
		err := l.run(ctx, pause)
		l.is(false)
		if ctx.Err() != nil {
			return
		}
		if f, ok := errors.AsType[*FatalError](err); ok {
			l.bot.log.ErrorContext(ctx, "slack refuses connections", "connection", l.number, "error", f)
			l.report(f)
			l.bot.fail(f)
			return
		}
		off, isOff := errors.AsType[*switchedOffError](err)
		if !isOff && time.Since(begun) > steady {
			pause = l.bot.cfg.Timing.Reconnect
		}
		if isOff {
			l.bot.foundOff()
		} else {
			l.bot.log.WarnContext(ctx, "connection to slack ended", "connection", l.number, "again_in", pause.String(), "error", err)
		}
		if (!isOff || !off.waited) && !retry.Wait(ctx, pause) {
			return
		}
		pause = min(2*pause, longestPause)
	}
}

// is notes whether the connection is open.
func (l *listener) is(live bool) {
	switch {
	case live && !l.live:
		l.bot.live.Add(1)
		l.bot.off.over()
	case !live && l.live:
		l.bot.live.Add(-1)
	}
	l.live = live
}

func (l *listener) report(err error) {
	select {
	case l.ready <- err:
	default: // Start has returned
	}
}

// errUnsteady says that connections break as soon as they are made.
var errUnsteady = errors.New("connections break at once; is Socket Mode switched on for the app?")

// run serves connections one after the other until an error that does not
// mend itself quickly. A connection of an app whose Socket Mode is off, as
// Slack warns, is given so long to bring an event.
func (l *listener) run(ctx context.Context, silence time.Duration) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	b := l.bot
	api := b.socketAPI(&l.warned)
	sm := socketmode.New(api, socketmode.OptionPingInterval(b.cfg.Timing.Ping))
	acks := make(chan ack, maxAcks)
	ended := make(chan error, 1)
	stopAcks := make(chan struct{})
	acked := make(chan struct{})
	go func() {
		defer close(acked)
		l.acknowledge(ctx, sm, acks, stopAcks)
	}()
	go func() { ended <- sm.RunContext(ctx) }()
	quiet := time.NewTimer(silence)
	quiet.Stop()
	defer quiet.Stop()
	var err error
	for err == nil {
		select {
		case <-quiet.C:
			if !l.live && len(sm.Events) == 0 { // an event that has just come is taken first
				cancel(&switchedOffError{waited: true})
			}
		case e := <-sm.Events:
			if e.Type == socketmode.EventTypeHello && l.warned.Load() {
				b.foundOff()
				quiet.Reset(silence)
			}
			if stop := l.take(e, acks); stop != nil { //nolint:contextcheck // the work goes on without this connection
				cancel(stop)
			}
		case err = <-ended:
		}
	}
	cancel(nil)
	close(stopAcks)
	<-acked
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	_, err = judge("connect", err)
	if stop := l.lasting(err); stop != nil {
		return stop
	}
	return err
}

// lasting is the *FatalError or the *switchedOffError that err is, or nil.
func (l *listener) lasting(err error) error {
	f := fatal(err)
	switch {
	case f != nil && hasCode(err, offCodes...) && l.bot.greeted.Load():
		return &switchedOffError{}
	case f != nil:
		return f
	}
	return nil
}

// ack is an acknowledgement on its way to Slack.
type ack struct {
	envelope string
	payload  any
}

// acknowledge sends acknowledgements. slack-go waits when no connection is
// open; so nobody else may.
func (l *listener) acknowledge(ctx context.Context, sm *socketmode.Client, acks <-chan ack, stop <-chan struct{}) {
	for {
		select {
		case a := <-acks:
			l.sendAck(ctx, sm, a)
		case <-stop:
			return
		}
	}
}

func (l *listener) sendAck(ctx context.Context, sm *socketmode.Client, a ack) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ackWithin)
	defer cancel()
	err := sm.AckCtx(ctx, a.envelope, a.payload)
	if err != nil && a.payload != nil && ctx.Err() == nil {
		// Too large for Slack: an empty one is better than none.
		l.bot.log.ErrorContext(ctx, "acknowledgement is too large", "error", err)
		err = sm.AckCtx(ctx, a.envelope, nil)
	}
	if err != nil {
		l.bot.log.WarnContext(ctx, "cannot acknowledge an event", "error", err)
	}
}

// take handles what happens on the connection. It must not block: events that
// nobody takes are dropped, and the connection with them. It returns why the
// connection must end, if it must.
func (l *listener) take(e socketmode.Event, acks chan<- ack) error {
	switch e.Type { //nolint:exhaustive // the others are on the way to these
	case socketmode.EventTypeSlashCommand, socketmode.EventTypeInteractive, socketmode.EventTypeEventsAPI:
		l.is(true)
		l.pass(e.Request, acks)
	case socketmode.EventTypeErrorBadMessage:
		// slack-go could not read it; the bot has its own reader.
		bad, ok := e.Data.(*socketmode.ErrorBadMessage)
		var r socketmode.Request
		if ok && json.Unmarshal(bad.Message, &r) == nil && r.EnvelopeID != "" {
			l.pass(&r, acks)
		}
	case socketmode.EventTypeConnected:
		if l.broken++; time.Since(l.opened) > l.bot.cfg.Timing.Reconnect {
			l.broken = 0
		}
		if l.opened = time.Now(); l.broken >= mostBroken {
			l.broken = 0
			return errUnsteady
		}
		l.bot.log.Info("connected to slack", "connection", l.number)
	case socketmode.EventTypeHello:
		l.bot.greeted.Store(true)
		l.is(!l.warned.Load())
		l.report(nil)
		if e.Request != nil && e.Request.NumConnections > connections {
			l.bot.log.Info("other processes are connected to slack as this app", "connections", e.Request.NumConnections)
		}
	case socketmode.EventTypeConnecting:
		l.is(false)
	case socketmode.EventTypeConnectionError:
		return l.refused(e.Data)
	}
	return nil
}

// pass hands an event on to the dispatcher.
func (l *listener) pass(r *socketmode.Request, acks chan<- ack) {
	if r == nil {
		return
	}
	envelope, accepts := r.EnvelopeID, r.AcceptsResponsePayload
	l.bot.receive(r.Type, r.Payload, func(payload any) {
		if !accepts && r.Type == kindEvent {
			payload = nil
		}
		select {
		case acks <- ack{envelope: envelope, payload: payload}:
		default:
			l.bot.log.Error("acknowledgement dropped: too many on their way")
		}
	})
}

// refused judges why a connection could not be made. Some of what slack-go
// tries again forever does not go away.
func (l *listener) refused(data any) error {
	e, ok := data.(*slack.ConnectionErrorEvent)
	if !ok {
		return nil
	}
	_, err := judge("connect", e.ErrorObj)
	if hasCode(err, "missing_scope") {
		err = &APIError{Op: "connect", Code: "app_token_scope"}
	}
	if stop := l.lasting(err); stop != nil {
		return stop
	}
	l.bot.log.Warn("cannot connect to slack", "connection", l.number, "attempt", e.Attempt, "again_in", e.Backoff.String(), "error", err)
	return nil
}
