// Package metrics shows how the workspaces of a store stand as Prometheus metrics.
//
// A [prometheus.Gatherer] reads the store each time that it is asked. Counters are sums
// over the whole history, so they survive a restart. No name of an account or a squid is a
// label unless that is asked for: see [Options].
//
// A handler for /metrics:
//
//	func serve(w http.ResponseWriter, r *http.Request) {
//		gatherer := metrics.New(r.Context(), reader, metrics.Options{Now: time.Now})
//		promhttp.HandlerFor(gatherer, promhttp.HandlerOpts{}).ServeHTTP(w, r)
//	}
package metrics
