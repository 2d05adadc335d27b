package watch

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
)

// Bounds of the server. What it answers is small, and those who ask are few.
const (
	mostConnections = 64
	mostHeaderBytes = 16 << 10
	requestTimeout  = 5 * time.Second  // to read a request
	answerTimeout   = 30 * time.Second // to make and write the answer
	idleTimeout     = time.Minute
	closeTimeout    = time.Second // for answers under way when the daemon ends
)

// Handler answers GET and HEAD of /healthz and /metrics.
func Handler(health *Health, metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { serveHealth(w, health) })
	mux.Handle("/metrics", http.TimeoutHandler(metrics, answerTimeout-requestTimeout, "the metrics took too long\n"))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD are allowed", http.StatusMethodNotAllowed)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func serveHealth(w http.ResponseWriter, health *Health) {
	report := health.Report()
	w.Header().Set("Content-Type", "application/json")
	if report.Status != OK {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(report) // the reader has ended: nobody is there to be told
}

// Serve answers requests until ctx is done, and waits a moment for those under way.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler, log *slog.Logger) {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: requestTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      answerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    mostHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-ctx.Done()
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		_ = server.Shutdown(patience) // what is not over then ends with the process
	}()
	if err := server.Serve(netutil.LimitListener(listener, mostConnections)); err != http.ErrServerClosed {
		log.Error("the server of metrics and health ended", "error", err)
		return
	}
	<-ended
}
