package lobstrtest

import "strings"

// crawler is the program behind a squid. There is one for each account type, and
// one that needs no account.
type crawler struct{ needs *AccountType }

func allCrawlers() []crawler {
	all := []crawler{{}}
	for _, t := range AccountTypes() {
		all = append(all, crawler{t})
	}
	return all
}

func (s *squid) crawler() crawler { return crawler{s.Type} }

func (c crawler) id() string {
	if c.needs == nil {
		return "4734d096159ef05210e0e1677e8be823" // the vendor's own
	}
	return ID("crawler/" + c.needs.Type)
}

func (c crawler) name() string {
	if c.needs == nil {
		return "Google Maps Search Export"
	}
	return c.needs.Domain + " Search Export"
}

// document is the crawler as the list and GET /crawlers/{hash} show it.
func (c crawler) document() []byte {
	account := "null"
	if c.needs != nil {
		icon, cookies, _ := c.needs.values()
		account = object{{"type", quote(c.needs.Type)}, {"baseurl", quote(c.needs.BaseURL)}, {"cookies", cookies},
			{"icon", icon}}.String()
	}
	slug := strings.ReplaceAll(strings.ToLower(c.name()), " ", "-")
	return object{{"id", quote(c.id())}, {"object", `"crawler"`}, {"account", account}, {"name", quote(c.name())},
		{"slug", quote(slug)}, {"is_public", "true"}, {"is_available", "true"}, {"is_premium", "false"},
		{"has_issues", "false"}, {"max_concurrency", "10"}, {"credits_per_row", "2"}}.append(nil)
}
