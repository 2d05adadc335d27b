package metrics

import "github.com/prometheus/client_golang/prometheus"

// all are the descriptions of all metrics.
var all []*prometheus.Desc

func describe(name, help string, labels ...string) *prometheus.Desc {
	desc := prometheus.NewDesc("lobstrail_"+name, help, labels, nil)
	all = append(all, desc)
	return desc
}

// of describes a metric of a workspace.
func of(name, help string, labels ...string) *prometheus.Desc {
	return describe(name, help, append([]string{"workspace"}, labels...)...)
}

var (
	buildInfo  = describe("build_info", "Always 1. The label says which lobstrail made the metrics.", "version")
	storeBytes = describe("store_bytes", "Room that the store takes on the disk, its journal included.")

	accountsByHealth = of("accounts", "Accounts by type and health, as last seen. Accounts that were deleted stay as gone.", "type", "health")
	squidsByAccounts = of("squids", "Squids by how many healthy accounts they use: 0, 1, 2+. One that lost all accounts counts for 7 days.", "healthy_accounts")
	lastRunTime      = of("last_complete_run_timestamp_seconds", "When the newest complete run over all accounts ended, in Unix time. 0: there is none.")
	lastRunAge       = of("last_complete_run_age_seconds", "Time from the end of the newest complete run to when these metrics were made. In a textfile use the timestamp, which goes on ageing.")
	lastRunDuration  = of("last_complete_run_duration_seconds", "How long the newest complete run took.")

	runs        = of("runs_total", "Runs that have ended, by scope (all, named, import) and state.", "scope", "state")
	runDuration = of("run_duration_seconds", "How long runs over all accounts took. Runs whose process died are left out.")
	requests    = of("requests_total", "HTTP requests that runs sent to the API, retries included.")
	snapshots   = of("snapshots_total", "Snapshots of accounts that runs took, unchanged ones included.")
	failures    = of("failures_total", "What runs could not snapshot, by kind.", "kind")
	changes     = of("changes_total", "Changes of accounts, by kind. First sights are appeared.", "kind")

	alertsByCondition = of("alerts", "Alerts that hold, by condition and state: pending (did not hold long enough yet), open, silenced.", "condition", "state")
	deliveries        = of("deliveries", "Messages for a sink that were not delivered yet, by state: waiting (not tried yet), failing (tried in vain).", "sink", "state")
	oldestDelivery    = of("oldest_delivery_age_seconds", "Age of the oldest message that was not delivered to the sink yet.", "sink")

	accountHealthy = of("account_healthy", "1 if the account is healthy, else 0. Only with names.", "account", "username", "type")
	squidHealthy   = of("squid_healthy_accounts", "How many healthy accounts the squid uses. Only with names.", "squid", "name")
	namesLeftOut   = of("names_left_out", "Accounts and squids beyond the first 1000, which have no metric of their own. Only with names.", "what")
)
