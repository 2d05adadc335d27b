package fetcher

import (
	"encoding/json"
	"fmt"
	"mime"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// maxErrorBytes is how much of the body of an error is read.
const maxErrorBytes = 64 << 10

// newStatusError reads the body of an error in any of the API's three shapes,
// or what a proxy says:
//
//	{"errors": {"message": "...", "type": "...", "code": 429}}
//	{"detail": "..."}
//	{"error": "...", "type": "...", "code": 429}
func newStatusError(code int, body []byte, key *secret) *StatusError {
	status := &StatusError{Code: code}
	var members map[string]any
	if err := json.Unmarshal(body, &members); err != nil {
		status.Message = key.clean(plainText(string(body)))
		return status
	}
	status.Message = key.clean(errorMessage(members))
	status.Type = key.clean(errorType(members))
	return status
}

// isDocumented reports whether body, which came with this HTTP status and
// Content-Type, is one of the three error bodies of newStatusError. Duplicate names,
// invalid UTF-8, trailing text, a code that contradicts the status, and the problem
// details of RFC 9457 (other services also have a "detail" there) are none of them.
func isDocumented(code int, contentType string, body []byte) bool {
	media, _, _ := mime.ParseMediaType(contentType)
	if media != "" && media != "application/json" && media != "text/plain" || !jsontext.Value(body).IsValid() {
		return false
	}
	var members map[string]any
	if err := json.Unmarshal(body, &members); err != nil || members["title"] != nil {
		return false
	}
	if inner, ok := members["errors"].(map[string]any); ok {
		return isText(inner["type"]) && agrees(inner["code"], code)
	}
	return (isText(members["detail"]) || isText(members["error"]) && isText(members["type"])) && agrees(members["code"], code)
}

func isText(value any) bool {
	text, ok := value.(string)
	return ok && strings.TrimSpace(text) != ""
}

// agrees reports whether the code in a body is the HTTP status. A code that is no
// number and no digits, such as "not_found", agrees with any.
func agrees(value any, code int) bool {
	text := fmt.Sprint(value)
	return strings.Trim(text, "0123456789") != "" || text == fmt.Sprint(code)
}

func errorMessage(members map[string]any) string {
	for _, name := range []string{"errors", "detail", "error", "message"} {
		if text := messageIn(members[name]); text != "" {
			return text
		}
	}
	return ""
}

// messageIn finds the words in a text, an object with a message, or a list of
// either.
func messageIn(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case map[string]any:
		for _, name := range []string{"message", "detail"} {
			if text, ok := value[name].(string); ok {
				return text
			}
		}
	case []any:
		var texts []string
		for _, entry := range value {
			if text, ok := entry.(string); ok {
				texts = append(texts, text)
			} else if inner, ok := entry.(map[string]any); ok {
				texts = append(texts, messageIn(inner))
			}
		}
		return strings.Join(texts, "; ")
	}
	return ""
}

func errorType(members map[string]any) string {
	if inner, ok := members["errors"].(map[string]any); ok {
		members = inner
	}
	name, _ := members["type"].(string)
	return name
}

var (
	htmlTitle = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title`)
	htmlTag   = regexp.MustCompile(`(?s)<[^>]*>`)
)

// plainText returns the title of an HTML page, and any other text as it is.
func plainText(body string) string {
	if !strings.HasPrefix(strings.TrimSpace(body), "<") {
		return body
	}
	if title := htmlTitle.FindStringSubmatch(body); title != nil && strings.TrimSpace(title[1]) != "" {
		return "HTML page: " + title[1]
	}
	return "HTML page: " + htmlTag.ReplaceAllString(body, " ")
}
