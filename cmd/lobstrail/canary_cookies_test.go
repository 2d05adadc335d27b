package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
)

// cookieValue is the value of a cookie that must come out nowhere.
const cookieValue = "c00kie0VALUE0canary7f3a"

// cookieShapes are members of an account in which the value of a cookie may come.
var cookieShapes = map[string]string{
	"cookies":        `{"auth_token":"VALUE","ct0":{"value":"VALUE"}}`,
	"Cookie":         `"auth_token=VALUE; ct0=VALUE"`,
	"cookie_jar":     `["auth_token=VALUE","VALUE",["ct0","VALUE"]]`,
	"SessionCookies": `[{"name":"auth_token","value":"VALUE","domain":"VALUE","required":true}]`,
	"set-cookie":     `[[{"x":{"auth_token":"VALUE"}}]]`,
	"auth_token":     `"VALUE"`,
	"session":        `{"auth_token":"VALUE"}`,
	"headers":        `[{"name":"Cookie","value":"VALUE"},"Cookie: a=VALUE"]`,
	"raw":            `"{\"cookies\":[{\"name\":\"auth_token\",\"value\":\"VALUE\"}]}"`,
	"storage":        `[{"name":"x","value":"VALUE","httpOnly":true}]`,
}

func cookieShape(name string) json.RawMessage {
	return json.RawMessage(strings.ReplaceAll(cookieShapes[name], "VALUE", cookieValue))
}

// TestNoCookieComesOut: values of cookies that the API sends, in lists and details, in
// accounts that cannot be understood and in errors, and that imports bring, are in no
// file and no output.
func TestNoCookieComesOut(t *testing.T) {
	t.Parallel()
	world := nowWorld()
	var events []lobstrtest.Event
	var lines, names []string
	for shape := range cookieShapes {
		name := fmt.Sprintf("u%d", len(names))
		id := world.Add(lobstrtest.Account{Username: name})
		events = append(events, lobstrtest.SetField(id, shape, cookieShape(shape)))
		names = append(names, name)
		account := fmt.Sprintf(`{"id":%q,"username":%q,"status":"200","squids":[],%q:%s`, id, name, shape, cookieShape(shape))
		lines = append(lines, account+"}", account+`,"squids":7}`, account+","+fmt.Sprintf("%q:%s", shape, cookieShape(shape))+"}")
	}
	h := newHome(t).asks(serve(t, world), lobstrtest.DefaultToken)
	needles := map[string][]byte{"the value of a cookie": []byte(cookieValue)}
	h.must(exitDone, "snapshot")
	happen(world, events...)
	told := []outcome{h.must(exitDone, "snapshot", "--json", "--verbose"), h.must(exitDone, append([]string{"snapshot"}, names...)...)}
	slices.Sort(lines)
	if err := os.WriteFile(filepath.Join(h.dir, "export"), []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	read, err := os.ReadFile(filepath.Join(h.dir, "export"))
	if err != nil || !strings.Contains(string(read), cookieValue) {
		t.Fatal("the import holds no cookie", err)
	}
	imported := h.command("import", "-", "--workspace", "archive", "--json")
	imported.Stdin = strings.NewReader(string(read))
	told = append(told, finish(t, imported))
	if told[2].code != exitIncomplete {
		t.Errorf("the import: %s", told[2])
	}
	if err := os.Remove(filepath.Join(h.dir, "export")); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		told = append(told, h.must(exitDone, "show", name, "--json"), h.must(exitDone, "changes", "--account", name, "--json"))
	}
	for _, o := range told {
		searchFor(t, h.dir, o, needles)
	}
	all := h.must(exitDone, "sql", "SELECT document FROM account_current", "--json").stdout
	if !strings.Contains(all, "auth_token") || !strings.Contains(all, "[withheld]") {
		t.Errorf("names of cookies are lost: %s", all)
	}
}
