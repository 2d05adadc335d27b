package lobstrtest

import (
	"net/http"
	"slices"
	"strings"
)

// The true answers of the endpoints, as of the instant of the request.

func (x *exchange) accounts(string) {
	query := x.request.URL.Query()
	only := accountFilter{typeName: query.Get("type"), usable: query.Get("status") == "1"}
	x.list(x.world.page(x.record.At, x.record.Page, x.limit, only))
}

func (x *exchange) account(id string) {
	row, ok := x.world.detail(x.record.At, id)
	if !ok {
		x.notFound("Not found.")
		return
	}
	x.reply.status, x.reply.rows = http.StatusOK, [][]byte{row}
	x.reply.envelope = listEnvelope("", "", 1, 1, x.limit, 1)
}

func (x *exchange) accountTypes(string) {
	x.list(pageOf(x.world.types, x.record.Page, x.limit, (*AccountType).document))
}

func (x *exchange) squids(string) {
	x.list(x.world.squidPage(x.record.At, x.record.Page, x.limit, x.request.URL.Query().Get("name")))
}

func (x *exchange) squid(id string) {
	x.object(x.world.squidDetail(x.record.At, id))
}

func (x *exchange) chain(id string) {
	x.object(x.world.squidChain(x.record.At, id))
}

func (x *exchange) runs(string) {
	id := x.request.URL.Query().Get("squid")
	if id == "" {
		x.fail(http.StatusBadRequest, olderShape, "A required parameter squid is missing from the route.")
		return
	}
	runs, ok := x.world.runsOf(x.record.At, id)
	if !ok {
		x.notFound("Not found.")
		return
	}
	x.list(pageOf(runs, x.record.Page, x.limit, run.document))
}

// run answers an unknown id with an error shape of its own, as the vendor does.
func (x *exchange) run(id string) {
	document, ok := x.world.runDetail(x.record.At, id)
	if x.object(document, ok); !ok {
		x.reply.body = []byte(`{"error":{"message":"Run not found","type":"not_found_error","param":"run_hash"}}`)
	}
}

func (x *exchange) crawlers(string) {
	x.list(pageOf(allCrawlers(), x.record.Page, x.limit, crawler.document))
}

func (x *exchange) crawler(id string) {
	all := allCrawlers()
	i := slices.IndexFunc(all, func(c crawler) bool { return c.id() == id })
	if i < 0 {
		x.notFound("Not found.")
		return
	}
	x.object(all[i].document(), true)
}

func (x *exchange) me(string) {
	x.object([]byte(`{"first_name":"Olive","last_name":"Operator","email":"ops@example.com","email_verified":true,`+
		`"plan":[{"id":"price_premium","object":"plan","name":"Premium","status":"active"}],"login_count":42,`+
		`"profile_image":null,"is_staff":false,"credit_interval":"monthly"}`), true)
}

func (x *exchange) balance(string) {
	x.object([]byte(`{"id":"price_premium","object":"plan","name":"Premium","available":10000,"consumed":1550,`+
		`"bonus_credit":0,"rollover_credit":0,"rollover_credit_expires_at":null,"interval":"monthly","used_slots":3,`+
		`"total_available_slots":20,"has_unpaid_bill":false,"reset_time":"2100-01-01T00:00:00Z"}`), true)
}

func (x *exchange) unknown(string) {
	if x.request.Method != http.MethodGet {
		x.fail(http.StatusMethodNotAllowed, olderShape, "Method \""+x.request.Method+"\" not allowed.")
		return
	}
	x.notFound("Not found.")
}

func (x *exchange) notFound(message string) { x.fail(http.StatusNotFound, olderShape, message) }

// object answers with one document, or with 404 if there is none.
func (x *exchange) object(document []byte, ok bool) {
	if !ok {
		x.notFound("Not found.")
		return
	}
	x.reply.status, x.reply.body = http.StatusOK, document
}

// list answers with a page of a list. Its links repeat the filters.
func (x *exchange) list(total int, rows [][]byte) {
	x.reply.status, x.reply.rows = http.StatusOK, rows
	filters := x.request.URL.Query()
	filters.Del("page")
	filters.Del("limit")
	x.reply.envelope = listEnvelope(x.server.origin+x.request.URL.Path, filters.Encode(), total, x.record.Page, x.limit, len(rows))
}

// pageOf renders a page of a list.
func pageOf[T any](all []T, page, limit int, document func(T) []byte) (total int, rows [][]byte) {
	from := min(len(all), (page-1)*limit)
	for _, one := range all[from:min(len(all), from+limit)] {
		rows = append(rows, document(one))
	}
	return len(all), rows
}

// accountFilter says which accounts a list shows. The zero value is all.
type accountFilter struct {
	typeName string
	usable   bool // only those with status 200 whose cookies have not expired
}

func (f accountFilter) shows(fields object) bool {
	typeName, _ := fields.get("type")
	status, _ := statusNumber(fields)
	info, _ := fields.get("status_code_info")
	return (f.typeName == "" || typeName == quote(f.typeName)) &&
		(!f.usable || status == http.StatusOK && !strings.Contains(info, "cookies_expired"))
}
