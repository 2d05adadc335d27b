package lobstrtest

import "time"

// DemoStory is the story that the demo tells.
type DemoStory struct {
	World *World // its clock shows Start
	Start time.Time
	End   time.Time
	Every time.Duration // the time between two snapshots: 169 of them from Start to End
}

// Demo returns two weeks in the life of Harbour & Finch, an agency with a dozen
// accounts on four platforms. It is the same each time. What happens (UTC; the
// first day is Monday 7 September 2026):
//
//	Mon  7  10:42  tom.becker (Sales Navigator) is locked until 14:10; it ends by itself
//	        21:17  trendwatch_eu (X): cookies expire ...
//	Tue  8  08:35  ... and are re-synchronised
//	Wed  9  09:12  claire.moreau: the limit of profiles is edited, 150 to 120
//	        13:05  ines.carvalho is locked until 19:00; at 16:20 the lock is moved to 01:00
//	Thu 10  11:31  Facebook Groups Berlin moves from Nina Petrova to Harbour Local
//	Fri 11  14:20  julia.lindqvist is attached to LinkedIn Profile Enrichment ...
//	        16:48  ... and lost again: a colleague attaches marco.rinaldi from a page opened
//	               before (the write replaces the whole list)
//	Sat 12  03:14  kofi_reads_news (X): cookies expire, and nobody looks until Monday
//	Sun 13  18:22  bistro.spotter (Instagram): a challenge is required
//	Mon 14  09:05  kofi_reads_news is re-synchronised; at 10:20 bistro.spotter too
//	        12:00  sofia.almeida (LinkedIn) is created, and attached at 12:31
//	Tue 15  11:03  claire.moreau is locked until 13:30; the lock is lifted at 12:40
//	        15:10  finch.studio (Instagram): 429, re-synchronised at 19:25
//	Wed 16  17:26  marco.rinaldi is deleted
//	Thu 17  10:15  X Mentions is renamed X Mentions (EU)
//	        14:50  Harbour Local is renamed Harbour & Finch Local
//	Fri 18  09:40  claire.moreau: the limit of searches is edited, 200 to 250
//	        13:37  david.okafor is locked until 17:00
//	Sun 20  20:26  Nina Petrova: cookies expire, and still are when the story ends
//
// All the while counters move and are reset at midnight.
func Demo() DemoStory { return DemoFrom(time.Date(2026, 9, 7, 6, 0, 0, 0, time.UTC)) }

// DemoFrom tells the same story from another day on, at the hour of start, which
// is in UTC. The days of the list move along.
func DemoFrom(start time.Time) DemoStory {
	d := demo{start: start, world: NewWorld(NewClock(start)), ids: map[string]string{}}
	d.cast()
	d.firstWeek()
	d.secondWeek()
	return DemoStory{World: d.world, Start: start, End: start.AddDate(0, 0, 14), Every: 2 * time.Hour}
}

type demo struct {
	start time.Time
	world *World
	ids   map[string]string // by username
}

// The squids of the demo.
const (
	leads      = "Sales Navigator Leads DACH"
	companies  = "Sales Navigator Companies"
	enrichment = "LinkedIn Profile Enrichment"
	xMentions  = "X Mentions"
	followers  = "X Competitor Followers"
	groups     = "Facebook Groups Berlin"
	eateries   = "Instagram Restaurants"
)

// cast adds the accounts.
func (d *demo) cast() {
	for i, a := range []Account{
		{Type: SalesNav, Username: "claire.moreau", Squids: []string{leads, companies}, Load: 0.92},
		{Type: SalesNav, Username: "tom.becker", Squids: []string{leads}, Load: 0.75},
		{Type: SalesNav, Username: "ines.carvalho", Squids: []string{companies}, Load: 0.6},
		{Type: LinkedIn, Username: "david.okafor", Squids: []string{enrichment}, Load: 0.8},
		{Type: LinkedIn, Username: "julia.lindqvist", Load: 0.3},
		{Type: LinkedIn, Username: "marco.rinaldi", Load: 0.25},
		{Type: X, Username: "harbourfinch", Squids: []string{xMentions}, Load: 0.55},
		{Type: X, Username: "trendwatch_eu", Squids: []string{xMentions, followers}, Load: 0.88},
		{Type: X, Username: "kofi_reads_news", Squids: []string{followers}, Load: 0.7},
		{Type: Facebook, Username: "Nina Petrova", Squids: []string{groups}, Load: 0.5},
		{Type: Facebook, Username: "Harbour Local", Load: 0.4},
		{Type: Instagram, Username: "finch.studio", Squids: []string{eateries}, Load: 0.66},
		{Type: Instagram, Username: "bistro.spotter", Squids: []string{eateries}, Load: 0.81},
	} {
		a.Created = d.start.AddDate(0, -i-2, -3*i).Add(time.Duration(i*47+11) * time.Minute)
		a.Synced = d.start.AddDate(0, 0, -i%5-1).Add(-time.Duration(i*13) * time.Minute)
		d.ids[a.Username] = d.world.Add(a)
	}
}

// on is an instant of the story: the day, where 7 is the first, and the clock.
func (d *demo) on(day, hour, minute, second int) time.Time {
	y, m, first := d.start.Date()
	return time.Date(y, m, first+day-7, hour, minute, second, 417e6, time.UTC)
}

func (d *demo) firstWeek() {
	id, at := d.ids, d.world.At
	at(d.on(7, 10, 42, 18), Lock(id["tom.becker"], d.on(7, 14, 10, 0), LockISO))
	at(d.on(7, 21, 17, 44), Expire(id["trendwatch_eu"]))
	at(d.on(8, 8, 35, 2), Resync(id["trendwatch_eu"]))
	at(d.on(9, 9, 12, 31), SetLimit(id["claire.moreau"], "profiles", 120))
	at(d.on(9, 13, 5, 9), Lock(id["ines.carvalho"], d.on(9, 19, 0, 0), LockISO))
	at(d.on(9, 16, 20, 51), Lock(id["ines.carvalho"], d.on(10, 1, 0, 0), LockISO))
	at(d.on(10, 11, 31, 4), Unassign(groups, id["Nina Petrova"]))
	at(d.on(10, 11, 31, 9), Assign(groups, id["Harbour Local"]))
	at(d.on(11, 14, 20, 37), ReplaceAccounts(enrichment, id["david.okafor"], id["julia.lindqvist"]))
	at(d.on(11, 16, 48, 12), ReplaceAccounts(enrichment, id["david.okafor"], id["marco.rinaldi"]))
	at(d.on(12, 3, 14, 55), Expire(id["kofi_reads_news"]))
	at(d.on(13, 18, 22, 6), Fail(id["bistro.spotter"], 403, "challenge_required",
		"The platform asks for a challenge to be solved."))
}

func (d *demo) secondWeek() {
	id, at := d.ids, d.world.At
	sofia := Account{Type: LinkedIn, Username: "sofia.almeida", Load: 0.7}.filled(d.on(14, 12, 0, 13), d.on(14, 12, 0, 13))
	at(d.on(14, 9, 5, 22), Resync(id["kofi_reads_news"]))
	at(d.on(14, 10, 20, 40), Resync(id["bistro.spotter"]))
	at(d.on(14, 12, 0, 13), Create(sofia))
	at(d.on(14, 12, 31, 48), Assign(enrichment, sofia.ID))
	at(d.on(15, 11, 3, 27), Lock(id["claire.moreau"], d.on(15, 13, 30, 0), LockISO))
	at(d.on(15, 12, 40, 15), Unlock(id["claire.moreau"]))
	at(d.on(15, 15, 10, 33), Fail(id["finch.studio"], 429, "account_too_many_requests",
		"The platform has refused too many requests."))
	at(d.on(15, 19, 25, 1), Resync(id["finch.studio"]))
	at(d.on(16, 17, 26, 58), Delete(id["marco.rinaldi"]))
	at(d.on(17, 10, 15, 20), RenameSquid(xMentions, "X Mentions (EU)"))
	at(d.on(17, 14, 50, 5), RenameAccount(id["Harbour Local"], "Harbour & Finch Local"))
	at(d.on(18, 9, 40, 11), SetLimit(id["claire.moreau"], "searches", 250))
	at(d.on(18, 13, 37, 36), Lock(id["david.okafor"], d.on(18, 17, 0, 0), LockISO))
	at(d.on(20, 20, 26, 49), Expire(id["Nina Petrova"]))
}
