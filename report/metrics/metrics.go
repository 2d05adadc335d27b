package metrics

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/alert"
	"github.com/lobstrail/lobstrail/store"
)

// Options say what is shown.
type Options struct {
	Now func() time.Time
	// Workspaces are those that are shown; nil: all of the store.
	Workspaces []string
	// Names adds metrics of single accounts and squids, with their names as labels: at
	// most MostNamed of each in a workspace.
	Names   bool
	Version string // of the program
}

// MostNamed bounds how many accounts, and how many squids, of a workspace have metrics of
// their own.
const MostNamed = 1000

// New returns a gatherer that reads the store each time that it is asked, until ctx is
// done. Its error is that of the store.
func New(ctx context.Context, s store.Reader, o Options) prometheus.Gatherer {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(&collector{ctx: ctx, store: s, options: o})
	return registry
}

// collector makes the metrics of a store.
type collector struct {
	ctx     context.Context // of the one who gathers: Collect is given none
	store   store.Reader
	options Options
}

// Describe sends the description of each metric.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range all {
		to <- desc
	}
}

// Collect reads the store.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	if err := c.collect(to); err != nil {
		to <- prometheus.NewInvalidMetric(storeBytes, err)
	}
}

func (c *collector) collect(to chan<- prometheus.Metric) error {
	at := c.options.Now()
	bytes, err := c.store.Bytes(c.ctx)
	if err != nil {
		return err
	}
	gauge(to, storeBytes, float64(bytes))
	gauge(to, buildInfo, 1, clean(c.options.Version))
	names := c.options.Workspaces
	if names == nil {
		if names, err = c.store.Workspaces(c.ctx); err != nil {
			return err
		}
	}
	labels := unique{}
	for _, name := range names {
		w := workspace{to: to, name: name, label: labels.of(name), at: at, names: c.options.Names}
		if err := w.collect(c.ctx, c.store); err != nil {
			return fmt.Errorf("workspace %q: %w", name, err)
		}
	}
	return nil
}

// workspace makes the metrics of one workspace.
type workspace struct {
	to          chan<- prometheus.Metric
	name, label string
	at          time.Time
	names       bool
}

func (w workspace) gauge(desc *prometheus.Desc, value float64, labels ...string) {
	gauge(w.to, desc, value, append([]string{w.label}, labels...)...)
}

func (w workspace) counter(desc *prometheus.Desc, value int64, labels ...string) {
	w.to <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(value), append([]string{w.label}, labels...)...)
}

func (w workspace) collect(ctx context.Context, s store.Reader) error {
	now, err := report.ReadOverview(ctx, s, w.name, w.at)
	if err != nil {
		return err
	}
	if err := alert.SetSilenced(ctx, s, w.name, w.at, now.Alerts); err != nil {
		return err
	}
	sum, err := s.Totals(ctx, w.name)
	if err != nil {
		return err
	}
	w.accounts(now.Accounts)
	w.squids(now.Squids)
	w.lastRun(now)
	w.totals(sum)
	w.alerts(now.Alerts)
	w.deliveries(now.Waiting)
	if w.names {
		w.named(now)
	}
	return nil
}

// accounts counts accounts by type and health. Each type has a series for every health, so
// that none ends when its last account leaves it.
func (w workspace) accounts(accounts []store.AccountState) {
	types := countTypes(accounts)
	counts := map[string]map[store.Health]int{}
	for _, account := range accounts {
		kind := types.label(account.Facts.Type)
		if counts[kind] == nil {
			counts[kind] = map[store.Health]int{}
		}
		counts[kind][account.Facts.Health]++
	}
	for kind, byHealth := range counts {
		for _, health := range store.Healths {
			w.gauge(accountsByHealth, float64(byHealth[health]), kind, string(health))
		}
	}
}

// squids counts squids by how many healthy accounts they use.
func (w workspace) squids(squids []report.SquidJSON) {
	var counts [3]int
	for _, squid := range squids {
		counts[min(squid.Healthy(), 2)]++
	}
	for i, label := range []string{"0", "1", "2+"} {
		w.gauge(squidsByAccounts, float64(counts[i]), label)
	}
}

// lastRun tells of the newest complete run. Without one the time is 0, so that an alert on
// its age fires.
func (w workspace) lastRun(now report.Overview) {
	if len(now.Complete) == 0 {
		w.gauge(lastRunTime, 0)
		w.gauge(lastRunAge, math.Inf(1))
		return
	}
	run := now.Complete[0]
	w.gauge(lastRunTime, float64(run.Finished.UnixMilli())/1000)
	w.gauge(lastRunAge, w.at.Sub(run.Finished).Seconds())
	w.gauge(lastRunDuration, run.Finished.Sub(run.Started).Seconds())
}

// alerts counts the alerts that hold.
func (w workspace) alerts(alerts []store.Alert) {
	counts := map[store.Condition]map[string]int{}
	for _, condition := range store.Conditions {
		counts[condition] = map[string]int{"pending": 0, "open": 0, "silenced": 0}
	}
	for _, a := range alerts {
		switch {
		case a.FiredAt.IsZero():
			counts[a.Condition]["pending"]++
		case a.Silenced:
			counts[a.Condition]["silenced"]++
		default:
			counts[a.Condition]["open"]++
		}
	}
	for condition, states := range counts {
		for state, n := range states {
			w.gauge(alertsByCondition, float64(n), string(condition), state)
		}
	}
}

// deliveries counts what waits for each sink, the oldest first.
func (w workspace) deliveries(waiting []store.Delivery) {
	type queue struct {
		fresh, failing int
		oldest         time.Time
	}
	sinks := map[string]*queue{}
	for _, d := range waiting {
		q := sinks[d.Sink]
		if q == nil {
			q = &queue{oldest: d.At}
			sinks[d.Sink] = q
		}
		if d.Attempts > 0 {
			q.failing++
		} else {
			q.fresh++
		}
	}
	labels := unique{}
	for _, sink := range slices.Sorted(maps.Keys(sinks)) {
		q, label := sinks[sink], labels.of(sink)
		w.gauge(deliveries, float64(q.fresh), label, "waiting")
		w.gauge(deliveries, float64(q.failing), label, "failing")
		w.gauge(oldestDelivery, w.at.Sub(q.oldest).Seconds(), label)
	}
}

// totals are the counters. Each has a series for every kind: one that begins later would
// hide its first increase.
func (w workspace) totals(sum store.Totals) {
	for _, scope := range []store.Scope{store.ScopeAll, store.ScopeNamed, store.ScopeImport} {
		for _, state := range []store.RunState{store.Complete, store.Incomplete, store.Interrupted, store.Failed} {
			w.counter(runs, sum.Runs[store.RunKind{Scope: scope, State: state}], string(scope), string(state))
		}
	}
	for _, kind := range store.FailureKinds {
		w.counter(failures, sum.Failures[kind], string(kind))
	}
	for _, kind := range store.Kinds {
		w.counter(changes, sum.Changes[kind], string(kind))
	}
	w.counter(requests, sum.Requests)
	w.counter(snapshots, sum.Snapshots)
	within := map[float64]uint64{}
	for i, bound := range store.RunBounds {
		within[bound.Seconds()] = uint64(sum.Within[i])
	}
	w.to <- prometheus.MustNewConstHistogram(runDuration, uint64(sum.Ended), sum.Lasted.Seconds(), within, w.label)
}

// named are the metrics of single accounts and squids.
func (w workspace) named(now report.Overview) {
	left := 0
	for i, account := range now.Accounts {
		if i == MostNamed {
			left = len(now.Accounts) - MostNamed
			break
		}
		healthy := 0.0
		if account.Facts.Health == store.Healthy {
			healthy = 1
		}
		w.gauge(accountHealthy, healthy, account.ID, clean(account.Facts.Username), clean(account.Facts.Type))
	}
	w.gauge(namesLeftOut, float64(left), "account")
	labels := unique{}
	for _, squid := range now.Squids[:min(len(now.Squids), MostNamed)] {
		w.gauge(squidHealthy, float64(squid.Healthy()), labels.of(squid.ID), clean(string(squid.Name)))
	}
	w.gauge(namesLeftOut, float64(max(len(now.Squids)-MostNamed, 0)), "squid")
}

func gauge(to chan<- prometheus.Metric, desc *prometheus.Desc, value float64, labels ...string) {
	to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
}
