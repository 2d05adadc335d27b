package fetcher

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"testing"

	"github.com/lobstrail/lobstrail/store"
)

// cookieCanary stands for the value of a cookie: it may only come out where it
// did not stand as one.
const cookieCanary = "COOKIE-CANARY"

// checkObserved holds the laws of an account that was understood.
func checkObserved(t *testing.T, input []byte, got store.Observed) {
	t.Helper()
	var account struct {
		ID string `json:"id"`
	}
	if !json.Valid(got.Raw) || json.Unmarshal(got.Raw, &account) != nil {
		t.Fatalf("not valid: %s", got.Raw)
	}
	// encoding/json takes names in any case, so only a plain spelling is compared.
	if strings.Count(strings.ToLower(string(got.Raw)), `"id"`) == 1 && strings.ToLower(account.ID) != got.ID {
		t.Fatalf("id %s in %s", got.ID, got.Raw)
	}
	var tree any
	json.Unmarshal(got.Raw, &tree)
	checkTree(t, tree, false)
	if !got.Withheld && !within(input, got.Raw) {
		t.Fatal("the bytes were copied")
	}
}

// checkDigested is checkObserved of an account in an answer.
func checkDigested(t *testing.T, input []byte, got store.Observed) {
	t.Helper()
	checkObserved(t, input, got)
	digest := sha256.Sum256(got.Raw)
	if want := digest[:]; got.Withheld && got.Digest != nil || !got.Withheld && !bytes.Equal(got.Digest, want) {
		t.Fatalf("digest %x, want %x, of %s (withheld: %t)", got.Digest, want, got.Raw, got.Withheld)
	}
}

// within reports whether part is a subslice of whole.
func within(whole, part []byte) bool {
	for i := range whole {
		if &whole[i] == &part[0] {
			return len(part) <= len(whole)-i
		}
	}
	return false
}

// checkTree looks for secrets in decoded JSON. Below a name that speaks of cookies it
// accepts flags, what was withheld, and the names of objects in lists.
func checkTree(t *testing.T, value any, cookie bool) {
	t.Helper()
	switch value := value.(type) {
	case string:
		if strings.Contains(value, plainKey) {
			t.Fatalf("the key leaks in %q", value)
		}
		if cookie && value != withheldText {
			t.Fatalf("a cookie's value leaks: %q", value)
		}
	case float64:
		if cookie {
			t.Fatalf("a cookie's value leaks: %v", value)
		}
	case []any:
		for _, entry := range value {
			if object, ok := entry.(map[string]any); ok && cookie {
				if name, ok := object["name"].(string); ok && !strings.ContainsAny(name, "=; ") {
					delete(object, "name")
				}
			}
			checkTree(t, entry, cookie)
		}
	case map[string]any:
		for name, member := range value {
			checkTree(t, name, false)
			checkTree(t, member, cookie || strings.Contains(strings.ToLower(name), "cookie"))
		}
	}
}

// secrets puts the secrets of a fuzzed input's place holders in, for a fuzzer
// does not guess them.
func secrets(input []byte) []byte {
	input = bytes.ReplaceAll(input, []byte("KEY"), []byte(plainKey))
	return bytes.ReplaceAll(input, []byte("JAR"), []byte(`"cookies":[{"name":"ct0","value":"`+cookieCanary+`"}]`))
}

func FuzzAccount(f *testing.F) {
	f.Add([]byte(rawDetail(f)))
	f.Add([]byte(withID(`JAR,"x":{"name":"ct0","value":"x"},"KEY":"KEY"`)))
	f.Add([]byte(withID(`"a":[{"Cookie":[[{"value":{"value":"\u0030"}}]]}]`)))
	f.Add([]byte(withID(`"squids":[{"id":"a"},7],"object":"account"`)))
	f.Add([]byte(withID(`"cookies":{"auth_token":"V","n":1,"ok":true},"x":"[{\"Cookie\":\"a=b\"}]","h":["Set-Cookie: a=b"]`)))
	f.Add([]byte(withID(`"session_cookies":["V",["ct0","V"],{"name":"a=b","a=b":1}],"jar":[{"name":"x","value":2,"httpOnly":true}]`)))
	f.Add([]byte(`{"id":"` + strings.ToUpper(accountB) + `"}`))
	f.Fuzz(func(t *testing.T, input []byte) {
		input = bytes.TrimSpace(secrets(input))
		before := bytes.Clone(input)
		got, err := newInspector(newSecret(plainKey)).account(input)
		if !bytes.Equal(before, input) {
			t.Fatal("the input changed")
		}
		if err != nil {
			mustNotHold(t, err.Error())
			return
		}
		checkObserved(t, input, got)
	})
}

func FuzzPage(f *testing.F) {
	f.Add([]byte(fixture(f, "accounts-page.json")))
	f.Add([]byte(fixture(f, "account-detail.json")))
	f.Add([]byte(fixture(f, "errors.json")))
	f.Add([]byte(`{"next":"KEY","warning":{"a":"KEY"},"data":[` + withID(`JAR`) + `,7,{"id":"KEY"}],"total_results":"9"}`))
	f.Add([]byte(`{"data":{"id":"` + accountA + `","KEY":1,"KEY":2}}`))
	f.Fuzz(func(t *testing.T, input []byte) {
		input = secrets(input)
		in := newInspector(newSecret(plainKey))
		if got, err := in.detail(input, detailID); err == nil {
			checkDigested(t, input, got)
		} else {
			mustNotHold(t, err.Error())
		}
		got, err := in.page(input)
		if err != nil {
			mustNotHold(t, err.Error())
			return
		}
		for _, account := range got.accounts {
			checkDigested(t, input, account)
		}
		for _, failure := range got.failures {
			mustNotHold(t, failure.Account+failure.Message)
		}
		if len(got.accounts)+len(got.failures) != len(got.data) {
			t.Fatal("objects were lost")
		}
		walked := newListing("accounts")
		walked.see(1, got, in.key)
		walked.more(1, got.envelope)
		walked.whole()
		mustNotHold(t, walked.warning())
	})
}

func mustNotHold(t *testing.T, text string) {
	t.Helper()
	if strings.Contains(text, plainKey) || strings.Contains(text, cookieCanary) {
		t.Fatalf("a secret leaks: %s", text)
	}
}
