package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/lobstrail/lobstrail/cmd/lobstrail/watch"
	"github.com/lobstrail/lobstrail/report/metrics"
	"github.com/lobstrail/lobstrail/store"
)

// metrics serves the metrics of the store and of the daemon. The store is opened for each
// answer, because its file may be made or replaced at any time. No more than two answers
// are made at once.
func (d *daemon) metrics() http.Handler {
	own := prometheus.NewPedanticRegistry()
	own.MustRegister(
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "lobstrail_watch_missed_snapshots_total", Help: "Snapshots that were due and not taken, because another process held the store.",
		}, func() float64 { return float64(d.missed.Load()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "lobstrail_watch_healthy", Help: "1 if /healthz answers with 200.",
		}, func() float64 {
			if d.health.Report().Status == watch.OK {
				return 1
			}
			return 0
		}),
	)
	free := make(chan struct{}, 2)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case free <- struct{}{}:
			defer func() { <-free }()
		default:
			http.Error(w, "two others are answered now; try again", http.StatusServiceUnavailable)
			return
		}
		err := d.withReader(r.Context(), func(s store.Reader) {
			gatherers := prometheus.Gatherers{own}
			if s != nil {
				gatherers = append(gatherers, metrics.New(r.Context(), s, metrics.Options{Now: d.clock.Wall, Version: versionName()}))
			}
			promhttp.HandlerFor(gatherers, promhttp.HandlerOpts{}).ServeHTTP(w, r)
		})
		if err != nil {
			d.log.Debug("no metrics: the store cannot be read", "error", err)
			http.Error(w, "the store cannot be read; the log says why", http.StatusServiceUnavailable)
		}
	})
}

// withReader opens the store for reading. Where there is none yet, fn gets nil.
func (d *daemon) withReader(ctx context.Context, fn func(store.Reader)) error {
	s, err := d.settings.Load().app.openReader(ctx)
	if errors.Is(err, store.ErrNoStore) {
		fn(nil)
		return nil
	}
	if err != nil {
		return err
	}
	defer s.Close()
	fn(s)
	return nil
}
