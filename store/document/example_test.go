package document_test

import (
	"encoding/json"
	"fmt"

	"github.com/lobstrail/lobstrail/store/document"
)

// Take an account object apart, and join it with what its counter was at another time.
func Example() {
	parts, err := document.Split([]byte(`{"status": "200", "params": {"user": {"messages": {"max": 50, "value": 7}}}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", parts.Body)
	fmt.Printf("%s %s of %s\n", parts.Counters[0].Pointer, parts.Counters[0].Body, parts.Counters[0].Max)
	whole, err := document.Join(parts.Body, map[string]json.RawMessage{"/params/user/messages": []byte(`{"value":9}`)}, nil)
	fmt.Printf("%s %v\n", whole, err)
	// Output:
	// {"params":{"user":{"messages":{"max":50,"value":null}}},"status":"200"}
	// /params/user/messages {"value":7} of 50
	// {"params":{"user":{"messages":{"max":50,"value":9}}},"status":"200"} <nil>
}
