package oracle

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
)

// differences says what differs between two versions of an account, each as of its
// instant. seen says that the account existed at some time before. Sorted by path,
// then kind.
func differences(old, new lobstrtest.Version, oldAt, newAt time.Time, seen bool) []Truth {
	switch {
	case !old.Exists() && !new.Exists():
		return nil
	case !old.Exists() && seen:
		return []Truth{{Kind: Returned}}
	case !old.Exists():
		return []Truth{{Kind: Appeared}}
	case !new.Exists():
		return []Truth{{Kind: Gone}}
	}
	truths := lockDifference(old, new, oldAt, newAt)
	for _, name := range union(old.Names(), new.Names()) {
		before, had := old.Field(name)
		after, has := new.Field(name)
		if had != has || before != after && name != "resets_in" {
			truths = append(truths, fieldDifferences(name, before, after, had, has)...)
		}
	}
	slices.SortStableFunc(truths, func(a, b Truth) int {
		return strings.Compare(a.Path+"\x00"+a.Kind, b.Path+"\x00"+b.Kind)
	})
	return truths
}

func union(a, b []string) []string {
	all := append(a, b...)
	slices.Sort(all)
	return slices.Compact(all)
}

// lockDifference is that of what lock_time means; two locks that are over, or none,
// are the same.
func lockDifference(old, new lobstrtest.Version, oldAt, newAt time.Time) []Truth {
	oldEnd, was := old.LockedUntil(oldAt)
	newEnd, is := new.LockedUntil(newAt)
	before, had := old.Field("lock_time")
	after, has := new.Field("lock_time")
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
	if had != has || kindOf(old) != kindOf(new) && old != "null" && new != "null" {
		schema = []Truth{{Kind: SchemaChanged, Path: path, Old: memberOf(name, old), New: memberOf(name, new)}}
	}
	if had != has {
		return schema
	}
	return append(schema, valueDifferences(name, path, old, new, schema != nil)...)
}

func valueDifferences(name, path, old, new string, retyped bool) []Truth {
	one := func(kind string, same bool) []Truth {
		if same || sameValue(old, new) {
			return nil
		}
		return []Truth{{Kind: kind, Path: path, Old: memberOf(name, old), New: memberOf(name, new)}}
	}
	switch name {
	case "lock_time":
		return nil // see lockDifference
	case "status":
		return one(Status, sameValue(unquoted(old), unquoted(new)))
	case "status_code_info", "status_code_description":
		return one(Status, false)
	case "last_synchronization_time":
		return one(syncKind(old, new), false)
	case "squids":
		return squidDifferences(old, new)
	case "params":
		return leafDifferences(LimitChanged, path, old, new)
	case "username":
		return one(Username, false)
	case "cookies":
		return one(CookiesChanged, slices.Equal(cookieSet(old), cookieSet(new)))
	case "icon":
		return one(IconChanged, false)
	}
	if retyped {
		return nil
	}
	return leafDifferences(FieldChanged, path, old, new)
}

func syncKind(old, new string) string {
	before, ok := instantOf(textOf(old))
	after, also := instantOf(textOf(new))
	if ok && also && after.After(before) {
		return Synced
	}
	return FieldChanged
}

// memberOf is a value as truths show it: icons by digest.
func memberOf(name, raw string) json.RawMessage {
	if name == "icon" && kindOf(raw) == '"' {
		digest, _ := json.Marshal(IconDigest(textOf(raw))) // a text can always be encoded
		return digest
	}
	return rawOf(raw)
}

func rawOf(raw string) json.RawMessage {
	if raw == "" {
		return nil
	}
	return json.RawMessage(raw)
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
		t := Truth{Path: "/squids/" + escape(id), Old: was, New: is}
		switch {
		case !still:
			t.Kind = SquidUnassigned
		case string(is) != string(was):
			t.Kind = SquidRenamed
		default:
			continue
		}
		truths = append(truths, t)
	}
	for id, is := range after {
		if _, had := before[id]; !had {
			truths = append(truths, Truth{Kind: SquidAssigned, Path: "/squids/" + escape(id), New: is})
		}
	}
	return truths
}

// squidNames maps the ids of a list of squids to their names, as JSON. Entries
// without an id are left out.
func squidNames(raw string) map[string]json.RawMessage {
	var entries []json.RawMessage
	_ = json.Unmarshal([]byte(raw), &entries) // what is no list has no entries
	all := make(map[string]json.RawMessage, len(entries))
	for _, entry := range entries {
		var squid struct {
			HashValue string `json:"hash_value"`
			ID, Hash  string
			Name      json.RawMessage
		}
		_ = json.Unmarshal(entry, &squid) // what is no object has no id
		for _, id := range []string{squid.HashValue, squid.ID, squid.Hash} {
			if id != "" {
				all[id] = squid.Name
				break
			}
		}
	}
	return all
}
