package page

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// pages are those that are looked at.
var pages = []struct {
	name           string
	accounts, days int
	names          []string
}{
	{"none", 0, 7, nil},
	{"3", 3, 7, nil},
	{"100", 100, 90, nil},
	{"3-hard", 3, 7, hardNames},
	{"100-hard", 100, 14, hardNames},
	{"2000-hard", 2000, 7, hardNames},
}

// overflow names what is wider than the window, but for what scrolls by itself.
const overflow = `(() => {
	const wide = [], width = document.documentElement.clientWidth;
	if (document.documentElement.scrollWidth > width) wide.push("the page is " + document.documentElement.scrollWidth);
	for (const el of document.querySelectorAll("body *")) {
		const box = el.getBoundingClientRect();
		if (box.right > width + 1 && box.width > 0 && !el.closest(".scroll, .vh, .skip, svg") && wide.length < 5)
			wide.push(el.tagName + " " + el.className + " to " + box.right + ": " + el.textContent.slice(0, 40));
	}
	return wide;
})()`

// foreign names what markup of others would have brought.
const foreign = `[...document.querySelectorAll("script, img, iframe, object, embed, link, base, [onload], [onerror], [onclick], [href]")]
	.filter((el) => !(el.tagName === "SCRIPT" && el.parentNode === document.body && !el.src) &&
		!(el.tagName === "IMG" && el.src.startsWith("data:image/")) &&
		!((el.tagName === "A" || el.tagName === "use") && el.getAttribute("href").startsWith("#")))
	.map((el) => el.outerHTML.slice(0, 200))`

func TestPagesFitEveryWindow(t *testing.T) {
	b := newBrowser(t)
	for _, p := range pages {
		html := write(t, p.accounts, p.days, p.names)
		b.look(1440, "light")
		b.open(html)
		for _, width := range []int64{360, 768, 1440} {
			for _, scheme := range []string{"light", "dark"} {
				b.look(width, scheme)
				name := fmt.Sprintf("%s-%d-%s", p.name, width, scheme)
				for _, fault := range eval[[]string](b, overflow) {
					t.Errorf("%s: %s", name, fault)
				}
				if p.accounts <= 100 {
					b.shoot(name)
				}
			}
		}
		// What is closed at first has to fit too.
		b.openDetails()
		b.look(360, "light")
		for _, fault := range eval[[]string](b, overflow) {
			t.Errorf("%s, all open: %s", p.name, fault)
		}
		for _, markup := range eval[[]string](b, foreign) {
			t.Errorf("%s: %s", p.name, markup)
		}
		b.blameless()
	}
}

// TestPagesAreForEverybody lets axe-core judge them.
func TestPagesAreForEverybody(t *testing.T) {
	file := os.Getenv("LOBSTRAIL_AXE")
	if file == "" {
		missing(t, "LOBSTRAIL_AXE does not name axe.min.js of axe-core: the page is not judged")
	}
	axe, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t)
	for _, p := range pages[:len(pages)-1] {
		if p.accounts > 100 {
			continue // more of the same, and minutes of it
		}
		for _, scheme := range []string{"light", "dark"} {
			b.look(1000, scheme)
			b.open(write(t, min(p.accounts, 30), 14, p.names))
			b.openDetails()
			eval[string](b, string(axe)+`; axe.version`)
			eval[bool](b, `axe.run(document).then((r) => { window.verdict = r; return true; })`)
			for _, fault := range eval[[]string](b, `verdict.violations.filter((v) => ["serious", "critical"].includes(v.impact))
				.map((v) => v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200)).join(" | "))`) {
				t.Errorf("%s %s: %s", p.name, scheme, fault)
			}
			if n := eval[int](b, `verdict.passes.length`); n < 20 {
				t.Errorf("%s: only %d rules were tried", p.name, n)
			}
		}
	}
	b.blameless()
}

// TestPagesNeedNoScript: all is there and nothing pretends to work.
func TestPagesNeedNoScript(t *testing.T) {
	b := newBrowser(t)
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.look(768, "light")
	b.open(write(t, 30, 14, nil))
	if zone := eval[string](b, `document.getElementById("zone").textContent`); zone != "Times are UTC." {
		t.Errorf("the zone: %q", zone)
	}
	if shown := eval[bool](b, `document.getElementById("filter").checkVisibility() || document.querySelector("button") !== null`); shown {
		t.Error("there are controls that do nothing")
	}
	if rows := eval[int](b, `document.querySelectorAll(".day tbody tr").length`); rows < 10 {
		t.Errorf("%d rows of changes", rows)
	}
	b.blameless()
}

// TestTimesAreTheReaders: in the reader's zone, with UTC on hover.
func TestTimesAreTheReaders(t *testing.T) {
	b := newBrowser(t)
	call(b, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Asia/Kolkata"})
	b.open(write(t, 3, 7, nil))
	got := eval[[]string](b, `[...document.querySelectorAll("h1 time")].flatMap((t) => [t.textContent, t.title])`)
	want := []string{"24 Aug 2026 11:30", "2026-08-24 06:00 UTC", "31 Aug 2026 11:30", "2026-08-31 06:00 UTC"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
	zone := eval[string](b, `document.getElementById("zone").textContent`)
	if zone != "Times are Asia/Calcutta; point at one for UTC." && zone != "Times are Asia/Kolkata; point at one for UTC." {
		t.Errorf("the zone: %q", zone)
	}
	b.blameless()
}

func TestChangesCanBeFiltered(t *testing.T) {
	b := newBrowser(t)
	b.open(write(t, 30, 14, nil))
	const shown = `[...document.querySelectorAll(".day tbody tr")].filter((r) => r.checkVisibility({contentVisibilityAuto: false})).length`
	all := eval[int](b, shown)
	name := eval[string](b, `document.querySelector(".day bdi").textContent`)
	run(b, chromedp.SendKeys(chromedp.CSS("#filter input"), name))
	some := eval[int](b, shown)
	if has := eval[int](b, `[...document.querySelectorAll(".day tbody tr")].filter((r) => r.textContent.includes("`+name+`")).length`); some != has || some == 0 || some >= all {
		t.Errorf("%d of %d rows are shown, %d have the text", some, all, has)
	}
	if told := eval[string](b, `document.querySelector("output").textContent`); told != fmt.Sprintf("%d rows", some) {
		t.Errorf("told: %q", told)
	}
	eval[bool](b, `(() => { const f = document.getElementById("filter").elements; f.text.value = ""; f.kind.value = "synced";
		return f.kind.dispatchEvent(new Event("input", {bubbles: true})); })()`)
	if synced, has := eval[int](b, shown), eval[int](b, `document.querySelectorAll(".day tr.synced").length`); synced != has || has == 0 || has >= all {
		t.Errorf("%d of %d rows are shown, %d are synchronisations", synced, all, has)
	}
	b.blameless()
}

// TestPagesAreForTheKeyboard: the first stop leads past the navigation, and what
// scrolls can be reached.
func TestPagesAreForTheKeyboard(t *testing.T) {
	b := newBrowser(t)
	b.look(360, "light")
	b.open(write(t, 30, 14, nil))
	run(b, chromedp.KeyEvent(kb.Tab))
	if first := eval[string](b, `document.activeElement.className`); first != "skip" {
		t.Errorf("the first stop is %q", first)
	}
	run(b, chromedp.KeyEvent(kb.Enter))
	run(b, chromedp.KeyEvent(kb.Tab))
	if next := eval[string](b, `document.activeElement.closest("main") ? "main" : document.activeElement.outerHTML`); next != "main" {
		t.Errorf("after it comes %s", next)
	}
	if stuck := eval[[]string](b, `[...document.querySelectorAll("body *")].filter((el) => el.scrollWidth > el.clientWidth + 1 &&
		["auto", "scroll"].includes(getComputedStyle(el).overflowX) && el.tabIndex < 0).map((el) => el.outerHTML.slice(0, 200))`); len(stuck) > 0 {
		t.Errorf("scrolled by a mouse only: %q", stuck)
	}
	b.blameless()
}

// TestPagesPrint: without what only a screen needs.
func TestPagesPrint(t *testing.T) {
	b := newBrowser(t)
	b.open(write(t, 30, 14, nil))
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	if seen := eval[[]string](b, `[...document.querySelectorAll("nav, form, button")].filter((el) => el.checkVisibility()).map((el) => el.tagName)`); len(seen) > 0 {
		t.Errorf("on paper: %q", seen)
	}
	b.blameless()
}

// TestPagesPrintOnFewSheets: a hundred accounts over a fortnight take eight, and the
// first of them has more than the headline.
func TestPagesPrintOnFewSheets(t *testing.T) {
	b := newBrowser(t)
	b.open(write(t, 100, 14, nil))
	sheets := func(ranges string) int {
		answer, err := chromedp.Call(b.ctx, page.PrintToPDF, page.PrintToPDFParams{PaperWidth: 8.27, PaperHeight: 11.69, PageRanges: ranges})
		if err != nil {
			t.Fatal(err)
		}
		return len(regexp.MustCompile(`/Type /Page\b`).FindAll(answer.Data, -1))
	}
	if n := sheets(""); n < 3 || n > 9 {
		t.Errorf("%d sheets", n)
	}
	// A part that may not be broken goes to the next sheet when it does not fit, and
	// leaves the rest of its own empty.
	b.look(740, "light")
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	if unbreakable := eval[[]string](b, `[...document.querySelectorAll("body *")].filter((el) =>
		getComputedStyle(el).breakInside === "avoid" && el.offsetHeight > 500).map((el) => el.outerHTML.slice(0, 100))`); len(unbreakable) > 0 {
		t.Errorf("what cannot be parted leaves sheets empty: %q", unbreakable)
	}
	b.blameless()
}

// TestNothingWaitsToBeScrolledTo: a picture of the full page has all of it.
func TestNothingWaitsToBeScrolledTo(t *testing.T) {
	b := newBrowser(t)
	b.open(write(t, 30, 14, nil))
	if blank := eval[int](b, `[...document.querySelectorAll("body *")].filter((el) => getComputedStyle(el).contentVisibility === "auto").length`); blank > 0 {
		t.Errorf("%d elements are drawn only when they are scrolled to", blank)
	}
	b.blameless()
}

// TestChangesCanBeReadOnAPhone: what changed has the whole width, below the name and
// the window.
func TestChangesCanBeReadOnAPhone(t *testing.T) {
	b := newBrowser(t)
	b.open(write(t, 30, 14, nil))
	b.look(360, "light")
	if narrow := eval[[]string](b, `[...document.querySelectorAll(".day tbody tr")].filter((row) => {
		const [what, who] = [row.lastElementChild.getBoundingClientRect(), row.querySelector("th").getBoundingClientRect()];
		return what.width < 320 || what.top < who.bottom - 1;
	}).map((row) => row.textContent.slice(0, 80))`); len(narrow) > 0 {
		t.Errorf("%d rows, such as %q", len(narrow), narrow[0])
	}
	b.blameless()
}

// TestTheBrowserSeesFaults: what blameless would tell of is noticed, and is refused
// by the page's own policy.
func TestTheBrowserSeesFaults(t *testing.T) {
	b := newBrowser(t)
	html := string(write(t, 1, 7, nil))
	for _, fault := range []string{
		`<style>main{background:url(http://127.0.0.1/x.png)}</style>`, `<img src=http://127.0.0.1/x.png>`, `<script>1</script>`,
		`<link rel=stylesheet href=http://127.0.0.1/x.css>`,
	} {
		b.open([]byte(strings.Replace(html, "<main", fault+"<main", 1)))
		eval[bool](b, `new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(true), 50)))`)
		if seen := strings.Join(b.taken(), " "); !strings.Contains(seen, "Content Security Policy") {
			t.Errorf("%s: %q", fault, seen)
		}
	}
}
