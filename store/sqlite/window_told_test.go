package sqlite_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest/oracle"
	"github.com/lobstrail/lobstrail/store"
)

// told reads all that the store says of the play.
func (p *play) told(ctx context.Context) (all *tale, err error) {
	all = &tale{}
	for c, err := range p.store.Changes(ctx, store.ChangeQuery{Workspace: p.workspace}) {
		if err != nil {
			return nil, err
		}
		all.changes = append(all.changes, change{
			account: c.Account, kind: string(c.Kind), path: c.Path, old: string(c.Old), new: string(c.New),
			after: beginning(c.Window.After), before: c.Window.Before.UnixMilli(),
			healthWas: string(c.HealthBefore), healthNow: string(c.HealthAfter),
		})
	}
	for s, err := range p.store.StatusSteps(ctx, store.PeriodQuery{Workspace: p.workspace}) {
		if err != nil {
			return nil, err
		}
		all.steps = append(all.steps, step{
			account: s.Account, statusWas: s.StatusBefore, status: s.StatusAfter, infoWas: s.InfoBefore, info: s.InfoAfter,
			healthWas: string(s.HealthBefore), health: string(s.HealthAfter),
			after: beginning(s.Window.After), before: s.Window.Before.UnixMilli(),
		})
	}
	for g, err := range p.store.Assignments(ctx, store.AssignmentQuery{Workspace: p.workspace}) {
		if err != nil {
			return nil, err
		}
		u := use{account: g.Account, squid: g.Squid, fromAfter: beginning(g.From.After), fromBefore: g.From.Before.UnixMilli()}
		if g.To != nil {
			u.toAfter, u.toBefore = beginning(g.To.After), g.To.Before.UnixMilli()
		}
		all.uses = append(all.uses, u)
	}
	all.versions, err = p.toldVersions(ctx)
	return all, err
}

func (p *play) toldVersions(ctx context.Context) (all []version, err error) {
	query := fmt.Sprintf(`SELECT account, version, valid_from, valid_to, health FROM account_versions
		WHERE workspace = '%s' ORDER BY account, version`, p.workspace)
	err = p.store.Query(ctx, query, func([]string) error { return nil }, func(row []any) error {
		v := version{account: row[0].(string), number: int(row[1].(int64)), health: row[4].(string)}
		v.from = parseTime(row[2])
		if row[3] != nil {
			v.to = parseTime(row[3])
		}
		all = append(all, v)
		return nil
	})
	return all, err
}

func parseTime(value any) int64 {
	t, err := time.Parse("2006-01-02T15:04:05.000Z", value.(string))
	if err != nil {
		panic(err)
	}
	return t.UnixMilli()
}

func beginning(t time.Time) int64 {
	if t.IsZero() {
		return never
	}
	return t.UnixMilli()
}

// compareTold says where two tales differ.
func compareTold(want, got *tale) (problems []string) {
	report := func(what string, want, got map[string]int) {
		for _, line := range slices.Sorted(maps.Keys(want)) {
			if n := want[line] - got[line]; n > 0 {
				problems = append(problems, what+" is missing: "+line)
			}
		}
		for _, line := range slices.Sorted(maps.Keys(got)) {
			if n := got[line] - want[line]; n > 0 {
				problems = append(problems, what+" is invented: "+line)
			}
		}
	}
	report("change", lines(want.changes, changeLine), lines(got.changes, changeLine))
	report("status step", lines(want.steps, stepLine), lines(got.steps, stepLine))
	report("assignment", lines(want.uses, useLine), lines(got.uses, useLine))
	report("version", lines(want.versions, versionLine), lines(got.versions, versionLine))
	return problems
}

func lines[T any](all []T, line func(T) string) map[string]int {
	counted := map[string]int{}
	for _, one := range all {
		counted[line(one)]++
	}
	return counted
}

func changeLine(c change) string {
	return fmt.Sprintf("%.6s %s %s %s -> %s %s %s>%s", c.account, c.kind, c.path, spelled(c, c.old), spelled(c, c.new),
		windowText(c.after, c.before), c.healthWas, c.healthNow)
}

func stepLine(s step) string {
	return fmt.Sprintf("%.6s %s/%s/%s -> %s/%s/%s %s", s.account, s.statusWas, s.infoWas, s.healthWas, s.status, s.info,
		s.health, windowText(s.after, s.before))
}

func useLine(u use) string {
	line := fmt.Sprintf("%.6s by %.6s from %s", u.account, u.squid, windowText(u.fromAfter, u.fromBefore))
	if u.toBefore != 0 {
		line += " to " + windowText(u.toAfter, u.toBefore)
	}
	return line
}

func versionLine(v version) string {
	return fmt.Sprintf("%.6s %d %s %s", v.account, v.number, windowText(v.from, v.to), v.health)
}

// spelled is a value in one spelling: of two endpoints that say the same, either
// may be quoted. A status is its text, and cookies are a set.
func spelled(c change, value string) string {
	switch {
	case value == "":
	case c.path == "/status":
		return text(json.RawMessage(value))
	case c.path == "/cookies":
		var entries []json.RawMessage
		if json.Unmarshal([]byte(value), &entries) == nil {
			slices.SortFunc(entries, func(a, b json.RawMessage) int { return bytes.Compare(a, b) })
			return fmt.Sprintf("%s", entries)
		}
	}
	return orNull(value)
}

// orNull makes no value and null alike: JSON that users read has no difference.
func orNull(value string) string { return cmp.Or(value, "null") }

func windowText(after, before int64) string {
	return "(" + instantText(after) + ", " + instantText(before) + "]"
}

func instantText(ms int64) string {
	if ms <= 0 {
		return "-"
	}
	return time.UnixMilli(ms).UTC().Format("02T15:04:05.000")
}

// checkTruth looks each told change up among what truly happened: something must
// have happened at its path within its window. The latter does
// not use the model, and so would find the model and the store wrong together.
func (p *play) checkTruth(want, told *tale) (problems []string) {
	for _, c := range want.changes { // compareTold found the same ones told
		if !c.at.IsZero() && (!c.at.After(time.UnixMilli(c.after)) || c.at.After(time.UnixMilli(c.before))) {
			problems = append(problems, "it happened at "+c.at.String()+", not in the window of "+changeLine(c))
		}
	}
	for _, c := range told.changes {
		if c.after == never {
			continue
		}
		after, before := time.UnixMilli(c.after), time.UnixMilli(c.before)
		truths := oracle.Between(p.world, c.account, after, before)
		if !slices.ContainsFunc(truths, func(t oracle.Truth) bool { return agrees(c, t) }) {
			problems = append(problems, "nothing of the sort truly happened in the window of "+changeLine(c))
		}
	}
	for _, v := range told.versions {
		if v.to != 0 && v.to <= v.from {
			problems = append(problems, "versions overlap: "+versionLine(v))
		}
	}
	return problems
}

// agrees reports whether the truth is what the change tells of, or a part of it.
func agrees(c change, t oracle.Truth) bool {
	switch {
	case c.path != t.Path && !strings.HasPrefix(c.path, t.Path+"/") && !strings.HasPrefix(t.Path, c.path+"/"):
		return false
	case c.path == "":
		return c.kind == t.Kind
	}
	return true
}

// story tells a person what happened, and when it was looked at.
func (p *play) story() (all []string) {
	line := func(t time.Time, text string) {
		all = append(all, t.UTC().Format("02T15:04:05.000000")+" "+text)
	}
	for _, t := range oracle.Between(p.world, "", time.Time{}, p.world.Clock().Now()) {
		line(t.At, fmt.Sprintf("%.6s %s %s %s -> %s", t.Account, t.Kind, t.Path, t.Old, t.New))
	}
	for _, l := range p.looks {
		line(l.at, fmt.Sprintf("%.6s LOOK view %d there %t sent %s received %s", l.account, l.view, l.doc != nil,
			instantText(l.sent), instantText(l.received)))
	}
	slices.Sort(all)
	return all
}
