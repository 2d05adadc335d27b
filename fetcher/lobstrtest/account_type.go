package lobstrtest

import (
	"image/color"
	"math/rand/v2"
	"sync"
	"time"
)

// AccountType is a platform that accounts log in to, with the values that its
// accounts have in common. Treat the package's own types as constants.
type AccountType struct {
	Type    string // the type of its accounts, and its own name: "twitter-sync"
	Hash    string // as in account_type_hash
	Domain  string // the name of the platform, for people: "Facebook"
	BaseURL string
	Color   string // as in primary_color
	Cookies []string
	Limits  []Limit

	shade color.RGBA
	once  sync.Once
	fixed struct{ icon, cookies, defaults string } // as JSON
}

// Limit is a setting under params, the same in "default" and "user" until
// somebody edits it.
type Limit struct {
	Name        string // "profiles", "searches", "messages", "batch", "batch_hours"
	Max         int
	Description string
	Attribute   string // what a batch counts; empty for other limits
	Daily       bool   // it has a counter that is reset every day
}

// The account types of the fake service.
var (
	LinkedIn = &AccountType{
		Type: "linkedin-sync", Hash: "5c9c8a7a0ed0b1b5f0b1f4c2a6c1d7e3",
		Domain: "LinkedIn", BaseURL: "https://www.linkedin.com", Color: "#0A66C2",
		Cookies: []string{"li_at", "JSESSIONID"},
		Limits:  limits(80, 100, 40, 20, 2), shade: color.RGBA{10, 102, 194, 255},
	}
	SalesNav = &AccountType{
		Type: "sales-nav-sync", Hash: "cf67cafe03776e796f02a29f29ab2866",
		Domain: "Sales Navigator", BaseURL: "https://www.linkedin.com", Color: "#0A66C2",
		Cookies: []string{"li_at", "JSESSIONID", "li_a"},
		Limits:  limits(150, 200, 50, 20, 2), shade: color.RGBA{0, 65, 130, 255},
	}
	X = &AccountType{
		Type: "twitter-sync", Hash: "9853173fc00a940a33d7a420c176ad3b",
		Domain: "Twitter", BaseURL: "https://x.com", Color: "#000000",
		Cookies: []string{"auth_token", "ct0"},
		Limits:  limits(500, 400, 0, 50, 1), shade: color.RGBA{15, 20, 25, 255},
	}
	Facebook = &AccountType{
		Type: "facebook-sync", Hash: "16f5b7f91e8fc533eab88be973273a02",
		Domain: "Facebook", BaseURL: "https://www.facebook.com", Color: "#1877F2",
		Cookies: []string{"c_user", "xs"},
		Limits:  limits(200, 120, 30, 25, 3), shade: color.RGBA{24, 119, 242, 255},
	}
	Instagram = &AccountType{
		Type: "instagram-sync", Hash: "a1f0c6b4f3da4f6d8e5b7f9f2d3c4b5a",
		Domain: "Instagram", BaseURL: "https://www.instagram.com", Color: "#E1306C",
		Cookies: []string{"sessionid", "csrftoken", "ds_user_id"},
		Limits:  limits(180, 100, 0, 15, 4), shade: color.RGBA{225, 48, 108, 255},
	}
)

// AccountTypes lists the account types of the fake service.
func AccountTypes() []*AccountType {
	return []*AccountType{LinkedIn, SalesNav, X, Facebook, Instagram}
}

// limits are those of a platform; no messages when it allows none.
func limits(profiles, searches, messages, batch, hours int) []Limit {
	all := []Limit{
		{Name: "batch", Max: batch, Attribute: "profiles", Description: "Number of profiles visited per launch"},
		{Name: "profiles", Max: profiles, Daily: true, Description: "Maximum number of profile requests per day"},
		{Name: "searches", Max: searches, Daily: true, Description: "Maximum number of searches per day"},
	}
	if messages > 0 {
		all = append(all, Limit{Name: "messages", Max: messages, Daily: true,
			Description: "Maximum number of messages per day"})
	}
	return append(all, Limit{Name: "batch_hours", Max: hours,
		Description: "Hours between each launch during a day"})
}

// values encodes once what all accounts of the type share.
func (t *AccountType) values() (icon, cookies, defaults string) {
	t.once.Do(func() {
		seed := uint64(len(t.Type))<<32 | uint64(t.shade.R)<<16 | uint64(t.shade.G)<<8 | uint64(t.shade.B)
		t.fixed.icon = quote(newIcon(rand.New(rand.NewPCG(seed, 7)), t.shade))
		t.fixed.cookies = cookieList(t.Cookies)
		t.fixed.defaults = t.defaults().String()
	})
	return t.fixed.icon, t.fixed.cookies, t.fixed.defaults
}

func cookieList(names []string) string {
	entries := make([]string, 0, len(names))
	for _, name := range names {
		entries = append(entries, object{{"name", quote(name)}, {"required", "true"}}.String())
	}
	return list(entries)
}

func (t *AccountType) defaults() object {
	o := object{}
	for _, l := range t.Limits {
		one := object{{"max", number(l.Max)}, {"default", number(l.Max)}}
		if l.Attribute != "" {
			one.set("attribute", quote(l.Attribute))
		}
		one.set("description", quote(l.Description))
		o.set(l.Name, one.String())
	}
	return o
}

// params is the value of an account's params when nobody has edited a limit and
// the counters stand at zero until the next midnight (UTC).
func (t *AccountType) params(at time.Time) string {
	_, _, defaults := t.values()
	user := object{}
	for _, l := range t.Limits {
		user.set(l.Name, l.user(at).String())
	}
	return object{{"default", defaults}, {"user", user.String()}}.String()
}

func (l Limit) user(at time.Time) object {
	switch {
	case l.Attribute != "":
		return object{{"max", number(l.Max)}, {"current", "0"}, {"default", number(l.Max)},
			{"attribute", quote(l.Attribute)}, {"start_time", "null"}, {"last_batch_at", "null"}}
	case l.Daily:
		return object{{"max", number(l.Max)}, {"value", "0"}, {"default", number(l.Max)},
			{"timestamp", number(midnightAfter(at).Unix())}, {"start_time", "null"}}
	}
	return object{{"max", number(l.Max)}, {"value", "0"}, {"default", number(l.Max)},
		{"description", quote(l.Description)}}
}

func midnightAfter(t time.Time) time.Time {
	return t.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
}

// document is the type as GET /account_types shows it.
func (t *AccountType) document() []byte {
	icon, cookies, defaults := t.values()
	return object{{"id", quote(t.Hash)}, {"object", `"account_type"`}, {"name", quote(t.Type)}, {"icon", icon},
		{"domain", quote(t.Domain)}, {"params", defaults}, {"baseurl", quote(t.BaseURL)}, {"cookies", cookies}}.append(nil)
}
