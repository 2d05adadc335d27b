package report

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/lobstrail/lobstrail/store"
)

// pools are the texts that generated documents draw field values from: few, so
// that two documents often agree, with other spellings of the same among them.
// A "" leaves the field out.
var pools = map[string][]string{
	"status":                    {`"200"`, `200`, `2e2`, `"401"`, `429`, `500`, `"x"`, `null`, `{"a":1}`, ``},
	"status_code_info":          {`"synchronized"`, `"cookies_expired"`, `null`, `7`, ``},
	"status_code_description":   {`"Success!"`, `"\u0053uccess!"`, `null`, ``},
	"username":                  {`"ann"`, `"Bob"`, `5`, `"5"`, `null`, ``},
	"lock_time":                 {`null`, past, live, liveTo, `4102444801`, `"soon"`, `[1]`, soonText, ``},
	"last_synchronization_time": {`"2024-12-16T10:28:43Z"`, `"2024-12-16T11:28:43+01:00"`, `"2025-12-16T10:28:43Z"`, `null`, `"never"`, ``},
	"icon":                      {`"sha256:aa"`, `"sha256:bb"`, `null`, ``},
	"updated_at":                {`"2025-03-01T09:00:00Z"`, `"2025-03-01T09:00:00.000Z"`, `null`, ``},
	"resets_in":                 {`null`, `5`, `"7"`, ``},
	"x~/y": {`1`, `1.0`, `"1"`, `"1.0"`, `9007199254740993`, `true`, `"true"`, `null`, `[]`, `[1,2]`, `[2,1]`, `[1,2,3]`,
		`{}`, `{"a":1}`, `{"a":{"b":1}}`, `{"a":{"b":2,"c":null}}`, `{"a":[1]}`, `[{"a":1},{"b":1}]`, `[{"a":2},{}]`, ``},
}

var soonText = fmt.Sprint(at.Add(90 * time.Minute).Unix())

// settingPool are values of settings; "" leaves one out.
var settingPool = []string{`1`, `1e0`, `"1"`, `2`, `null`, `[1,2]`, `[1,3]`, `[1]`, `[]`, `{}`, `{"a":1}`, `{"a":2,"b":null}`, ``}

func genObject(t *rapid.T, label string, members map[string]string) string {
	var parts []string
	for _, name := range rapid.Permutation(sortedNames(members)).Draw(t, label) {
		if members[name] != "" {
			parts = append(parts, string(quote(name))+":"+members[name])
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func genFrom(t *rapid.T, label string, pool []string) string {
	return rapid.SampledFrom(pool).Draw(t, label)
}

// genDocument draws an account object.
func genDocument(t *rapid.T) string {
	members := map[string]string{"id": `"d3e97f2cd33658f301bdbe807402ab30"`}
	for _, name := range sortedNames(pools) {
		members[name] = genFrom(t, name, pools[name])
	}
	members["squids"] = genSquids(t)
	members["cookies"] = genList(t, "cookies", []string{`{"name":"a","required":true}`, `{"name":"b"}`, `{"name":"a"}`, `5`})
	members["params"] = genParams(t)
	return genObject(t, "order", members)
}

func genList(t *rapid.T, label string, pool []string) string {
	if special := genFrom(t, label+"?", []string{"list", "list", "list", "null", ""}); special != "list" {
		return special
	}
	n := rapid.IntRange(0, len(pool)).Draw(t, label+" length")
	return "[" + strings.Join(rapid.Permutation(pool).Draw(t, label)[:n], ",") + "]"
}

func genSquids(t *rapid.T) string {
	var entries []string
	for _, id := range []string{"s1", "s~/2", "s3"} {
		key := genFrom(t, "key", []string{"hash_value", "id", "hash"})
		name := genFrom(t, "squid name", []string{`"A"`, `"B"`, `null`, ``})
		extra := genFrom(t, "extra", []string{``, ``, `1`, `{"a":1}`})
		entries = append(entries, genObject(t, "entry", map[string]string{key: string(quote(id)), "name": name, "extra": extra}))
	}
	return genList(t, "squids", entries)
}

func genParams(t *rapid.T) string {
	attribute := func(label string) string {
		return genObject(t, label, map[string]string{
			"max": genFrom(t, "max", settingPool), "start_time": genFrom(t, "start", settingPool),
			"value": genFrom(t, "value", settingPool), "timestamp": genFrom(t, "timestamp", settingPool),
		})
	}
	special := genFrom(t, "params", []string{"{", "{", "{", "{", "null", "", "[1]"})
	if special != "{" {
		return special
	}
	user := genObject(t, "user", map[string]string{"profiles": attribute("profiles"), "batch": genFrom(t, "batch", settingPool)})
	return genObject(t, "params", map[string]string{"user": user, "default": genFrom(t, "default", []string{attribute("default"), "{}", "null", ""})})
}

// genNext draws the state after s: a source speaks, some time later.
func genNext(t *rapid.T, s store.State) store.State {
	at := s.At.Add(time.Duration(rapid.IntRange(0, 120).Draw(t, "minutes")) * time.Minute)
	source := rapid.SampledFrom([]store.Source{store.List, store.Detail, store.Import}).Draw(t, "source")
	next, err := s.Next(at, source, json.RawMessage(genDocument(t)))
	if err != nil {
		t.Fatalf("Next: %v", err)
	}
	next.ResetsIn = json.RawMessage(rapid.SampledFrom([]string{"null", "5", "0"}).Draw(t, "resets_in"))
	return next
}

// The oracle: the meaning of a document, written down anew with encoding/json
// and none of the code that Diff uses.

// decode reads any JSON; numbers keep their text.
func decode(raw []byte) any {
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		panic(fmt.Sprintf("%s: %v", raw, err))
	}
	return v
}

// deepMerge is a, and what only b has.
func deepMerge(a, b any) any {
	x, ok := a.(map[string]any)
	y, also := b.(map[string]any)
	if !ok || !also {
		return a
	}
	merged := map[string]any{}
	for name, v := range y {
		merged[name] = v
	}
	for name, v := range x {
		if other, ok := y[name]; ok {
			v = deepMerge(v, other)
		}
		merged[name] = v
	}
	return merged
}

// meaning writes what a document means at an instant.
func meaning(doc any, at time.Time) string {
	fields := map[string]any{}
	for name, v := range doc.(map[string]any) {
		switch name {
		case "resets_in":
			continue
		case "lock_time":
			v = lockMeaning(v, at)
		case "params":
			v = settings("/params", v)
		case "squids":
			v = squidMeaning(v)
		case "cookies":
			v = cookieMeaning(v)
		case "status", "status_code_info", "status_code_description":
			v = plain(v, false)
			if v == nil {
				continue // no status is no status, sent as null or not
			}
		default:
			v = plain(v, name == "updated_at" || name == "last_synchronization_time")
		}
		fields[name] = v
	}
	out, _ := json.Marshal(fields)
	return string(out)
}

// plain brings scalars into one spelling.
func plain(v any, times bool) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, member := range v {
			out[name] = plain(member, times)
		}
		return out
	case []any:
		out := []any{}
		for _, elem := range v {
			out = append(out, plain(elem, times))
		}
		return out
	case json.Number:
		r, _ := new(big.Rat).SetString(v.String())
		if r.IsInt() {
			return r.Num().String()
		}
		return v.String()
	case bool:
		return fmt.Sprint(v)
	case string:
		if t, err := time.Parse(time.RFC3339, v); times && err == nil {
			return t.UTC().String()
		}
		return v
	}
	return v
}

func lockMeaning(v any, at time.Time) any {
	var until time.Time
	switch v := v.(type) {
	case nil:
		return nil
	case json.Number:
		seconds, _ := v.Int64()
		until = time.Unix(seconds, 0)
	case string:
		t, err := time.Parse(time.RFC3339, v)
		if err != nil {
			return v
		}
		until = t
	default:
		return v
	}
	if !until.After(at) {
		return nil
	}
	return until.Unix()
}

func settings(path string, v any) any {
	object, ok := v.(map[string]any)
	if !ok {
		return plain(v, false)
	}
	out := map[string]any{}
	for name, member := range object {
		below := path + "/" + name
		if s := settings(below, member); s != nil && !store.IsVolatile(below) {
			out[name] = s
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func squidMeaning(v any) any {
	out := map[string]any{}
	entries, _ := v.([]any)
	for _, entry := range entries {
		members := map[string]any{}
		id := ""
		for name, member := range entry.(map[string]any) {
			switch name {
			case "hash_value", "id", "hash":
				id = member.(string)
			default:
				if name != "name" || member != nil {
					members[name] = plain(member, false)
				}
			}
		}
		out[id] = members
	}
	return out
}

func cookieMeaning(v any) any {
	entries, ok := v.([]any)
	if !ok {
		return v
	}
	set := []string{}
	for _, entry := range entries {
		text, _ := json.Marshal(plain(entry, false))
		set = append(set, string(text))
	}
	slices.Sort(set)
	return slices.Compact(set)
}
