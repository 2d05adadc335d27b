package lobstrtest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// SquidSecret is in every document of a single squid, as secrets of the vendor's
// users are: in the signed download URL, the webhook's URL and the like. It must
// reach neither store nor output.
const SquidSecret = "s3cr3t-of-a-squid-7c41ab"

// squidPage renders a page of the list of squids whose name has this text in it.
func (w *World) squidPage(t time.Time, page, limit int, name string) (total int, rows [][]byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.serve(t)
	w.playUntil(t)
	unlike := func(s *squid) bool {
		return !strings.Contains(strings.ToLower(s.nameAt(t)), strings.ToLower(name))
	}
	return pageOf(slices.DeleteFunc(slices.Clone(w.squids), unlike), page, limit, func(s *squid) []byte {
		return append(s.summary(w, t), field{"schedule", s.cron()}).append(nil)
	})
}

// squidDetail renders one squid; ok is false if there is none of that id.
func (w *World) squidDetail(t time.Time, id string) (document []byte, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.serve(t)
	w.playUntil(t)
	s := w.bySquid[id]
	if s == nil || s.id != id {
		return nil, false
	}
	last := s.runsAt(t)[0]
	secret := func(format string) string { return quote(fmt.Sprintf(format, SquidSecret)) }
	o := append(s.summary(w, t),
		field{"accounts", list(w.usersAt(t, id))}, field{"schedule", s.schedule()},
		field{"last_run", quote(last.id())}, field{"last_run_done_reason", quote(last.reason)},
		field{"last_run_is_done", fmt.Sprint(last.isDone())}, field{"chain", string(s.chain(w, t))},
		field{"email", `"ops@example.com"`},
		field{"download_url", secret("https://files.example.com/results.csv?X-Amz-Signature=%s")},
		field{"webhook_fields", object{{"url", secret("https://hooks.example.com/%s")}, {"is_active", "true"}}.String()},
		field{"ftp_fields", object{{"host", `"ftp.example.com"`}, {"password", secret("%s")}}.String()},
		field{"s3_fields", object{{"bucket", `"results"`}, {"aws_secret_key", secret("%s")}}.String()},
		field{"google_sheet_fields", object{{"url", secret("https://docs.example.com/d/%s")}}.String()})
	return o.append(nil), true
}

// squidChain renders what a squid starts; "null" if nothing.
func (w *World) squidChain(t time.Time, id string) (document []byte, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.serve(t)
	s := w.bySquid[id]
	if s == nil || s.id != id {
		return nil, false
	}
	return s.chain(w, t), true
}

// summary is what the list and the single squid have in common.
func (s *squid) summary(w *World, t time.Time) object {
	runs := s.runsAt(t)
	return object{{"id", quote(s.id)}, {"created_at", instant(w.began.AddDate(0, 0, -60))}, {"name", quote(s.nameAt(t))},
		{"is_ready", "true"}, {"is_active", "true"}, {"concurrency", "1"}, {"params", "{}"},
		{"crawler", quote(s.crawler().id())}, {"crawler_name", quote(s.crawler().name())},
		{"last_run_status", quote(strings.ToUpper(runs[0].status()))}, {"last_run_at", instant(runs[0].ended)},
		{"total_runs", number(len(runs))}, {"next_launch_at", s.nextLaunch(t)}, {"is_public", "true"}}
}

// usersAt are the accounts that the squid uses at t, as it shows them.
func (w *World) usersAt(t time.Time, id string) []string {
	var users []string
	for _, h := range w.aliveAtTime(t) {
		fields := h.versions[h.at(t)].fields
		if squids, _ := fields.get("squids"); !mentions(fields, id) || !slices.Contains(squidIDs(squids), id) {
			continue
		}
		info, ok := fields.get("status_code_info")
		if !ok {
			info = "null"
		}
		users = append(users, object{{"id", quote(h.id)}, {"status", info}}.String())
	}
	return users
}

// zone is the time zone of the schedule.
func (s *squid) zone() *time.Location { return cmp.Or(s.Zone, time.UTC) }

// launchAfter is the first launch after t.
func (s *squid) launchAfter(t time.Time) time.Time {
	hour, minute := s.launch()
	y, m, d := t.In(s.zone()).Date()
	next := time.Date(y, m, d, hour, minute, 0, 0, s.zone())
	if !next.After(t) {
		next = time.Date(y, m, d+1, hour, minute, 0, 0, s.zone())
	}
	return next
}

// launch is the time of day of launches. It panics if Launch is none.
func (s *squid) launch() (hour, minute int) {
	if s.Launch == "" {
		return 6, 0
	}
	t, err := time.Parse("15:04", s.Launch)
	if err != nil {
		panic("lobstrtest: a squid's Launch: " + err.Error())
	}
	return t.Hour(), t.Minute()
}

// nextLaunch is next_launch_at: the end of a pause, or the next launch of the
// schedule.
func (s *squid) nextLaunch(t time.Time) string {
	if last := s.runsAt(t)[0]; last.resumes() != "null" && last.resumed().After(t) {
		return last.resumes()
	}
	if s.Manual {
		return "null"
	}
	return instant(s.launchAfter(t))
}

// cron is the schedule as the list shows it.
func (s *squid) cron() string {
	if s.Manual {
		return "null"
	}
	hour, minute := s.launch()
	return quote(fmt.Sprintf("%d %d * * *", minute, hour))
}

// schedule is the schedule as the single squid shows it.
func (s *squid) schedule() string {
	if s.Manual {
		return "null"
	}
	return object{{"expression", s.cron()}, {"timezone", quote(s.zone().String())}}.String()
}

// chain is what the squid starts when a run has ended well.
func (s *squid) chain(w *World, t time.Time) []byte {
	target := w.bySquid[s.Chain]
	if target == nil {
		return []byte("null")
	}
	module := object{{"id", quote(target.crawler().id())}, {"public_name", quote(target.crawler().name())}, {"max_concurrency", "10"}}
	cluster := object{{"id", quote(target.id)}, {"hash_value", quote(target.id)}, {"name", quote(target.nameAt(t))}}
	return object{{"id", quote(ID("chain/" + s.id))}, {"target_module", module.String()}, {"target_cluster", cluster.String()},
		{"field_map", `{"url":"url"}`}, {"is_active", "true"}, {"autostart", "true"},
		{"created_at", instant(w.began.AddDate(0, 0, -30))}}.append(nil)
}
