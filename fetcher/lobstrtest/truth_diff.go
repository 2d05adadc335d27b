package lobstrtest

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// differences says what differs between two complete account objects, each as
// of its instant; nil is an account that does not exist. seen says that it
// existed before. Sorted by path, then kind.
func differences(old, new object, oldAt, newAt time.Time, seen bool) []Truth {
	switch {
	case old == nil && new == nil:
		return nil
	case old == nil && seen:
		return []Truth{{Kind: Returned}}
	case old == nil:
		return []Truth{{Kind: Appeared}}
	case new == nil:
		return []Truth{{Kind: Gone}}
	}
	truths := lockDifference(old, new, oldAt, newAt)
	for _, name := range names(old, new) {
		before, had := old.get(name)
		after, has := new.get(name)
		if had != has || before != after && name != "resets_in" {
			truths = append(truths, fieldDifferences(name, before, after, had, has)...)
		}
	}
	slices.SortStableFunc(truths, func(a, b Truth) int {
		return strings.Compare(a.Path+"\x00"+a.Kind, b.Path+"\x00"+b.Kind)
	})
	return truths
}

// names lists the members of two objects, each once.
func names(a, b object) []string {
	var all []string
	for _, f := range a {
		all = append(all, f.name)
	}
	for _, f := range b {
		if a.index(f.name) < 0 {
			all = append(all, f.name)
		}
	}
	return all
}

// lockDifference is that of what lock_time means; two locks that are over, or
// none, are the same.
func lockDifference(old, new object, oldAt, newAt time.Time) []Truth {
	oldEnd, was := lockedUntil(old, oldAt)
	newEnd, is := lockedUntil(new, newAt)
	before, had := old.get("lock_time")
	after, has := new.get("lock_time")
	t := Truth{Path: "/lock_time", Old: rawOf(before), New: rawOf(after)}
	switch {
	case had != has:
		return nil // a matter of schema
	case !was && is:
		t.Kind = Locked
	case was && !is:
		t.Kind = Unlocked
	case was && is && !oldEnd.Equal(newEnd):
		t.Kind = FieldChanged
	default:
		return nil
	}
	return []Truth{t}
}

// fieldDifferences compares one member of the account.
func fieldDifferences(name, old, new string, had, has bool) []Truth {
	path := "/" + escape(name)
	var schema []Truth
	if had != has || jsonType(old) != jsonType(new) && old != "null" && new != "null" {
		schema = []Truth{{Kind: SchemaChanged, Path: path, Old: memberOf(name, old), New: memberOf(name, new)}}
	}
	if had != has {
		return schema
	}
	return append(schema, valueDifferences(name, path, old, new, schema != nil)...)
}

func valueDifferences(name, path, old, new string, retyped bool) []Truth {
	one := func(kind string) []Truth {
		if sameValue(old, new) {
			return nil
		}
		return []Truth{{Kind: kind, Path: path, Old: memberOf(name, old), New: memberOf(name, new)}}
	}
	switch name {
	case "lock_time":
		return nil // see lockDifference
	case "status":
		if sameValue(bare(old), bare(new)) {
			return nil
		}
		return one(Status)
	case "status_code_info", "status_code_description":
		return one(Status)
	case "last_synchronization_time":
		return one(syncKind(old, new))
	case "squids":
		return squidDifferences(old, new)
	case "params":
		return leafDifferences(LimitChanged, path, old, new)
	case "username":
		return one(Username)
	case "cookies":
		if sameSet(cookieSet(old), cookieSet(new)) {
			return nil
		}
		return one(CookiesChanged)
	case "icon":
		return one(IconChanged)
	}
	if retyped {
		return nil
	}
	return leafDifferences(FieldChanged, path, old, new)
}

// bare takes the quotes off a status, so that "200" and 200 are the same.
func bare(raw string) string {
	if text, ok := unquote(raw); ok && isNumber(text) {
		return text
	}
	return raw
}

func syncKind(old, new string) string {
	before, ok := parseInstant(old)
	after, also := parseInstant(new)
	if ok && also && after.After(before) {
		return Synced
	}
	return FieldChanged
}

// memberOf is a value as truths show it: icons by digest.
func memberOf(name, raw string) []byte {
	if text, ok := unquote(raw); ok && name == "icon" {
		return []byte(quote(IconDigest(text)))
	}
	return rawOf(raw)
}

// IconDigest is how truths name an icon: "sha256:" and the digest, in hex, of
// the text of the field, which is base64.
func IconDigest(base64 string) string {
	sum := sha256.Sum256([]byte(base64))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// squidDifferences compares two lists of squids as sets.
func squidDifferences(old, new string) []Truth {
	before, after := squidNames(old), squidNames(new)
	var truths []Truth
	for id, was := range before {
		is, still := after[id]
		t := Truth{Path: "/squids/" + escape(id), Old: rawOf(was), New: rawOf(is)}
		switch {
		case !still:
			t.Kind = SquidUnassigned
		case is != was:
			t.Kind = SquidRenamed
		default:
			continue
		}
		truths = append(truths, t)
	}
	for id, is := range after {
		if _, had := before[id]; !had {
			truths = append(truths, Truth{Kind: SquidAssigned, Path: "/squids/" + escape(id), New: rawOf(is)})
		}
	}
	return truths
}

// squidNames maps the ids of a list of squids to their names, as JSON.
func squidNames(raw string) map[string]string {
	entries, _ := parseList(raw)
	all := make(map[string]string, len(entries))
	for _, entry := range entries {
		if id := squidID(entry); id != "" {
			o, _ := parseObject(entry)
			name, _ := o.get("name")
			all[id] = name
		}
	}
	return all
}
