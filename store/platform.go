package store

import "encoding/json"

// Platform is what the accounts of one type have in common.
type Platform struct {
	Type string
	// Document is that of an account of the type, as it is stored: volatile values
	// are null, the icon is a reference.
	Document json.RawMessage
	// Icon is the icon in it as the API sent it, which should be an image in
	// base64 and may be any text; "" for none.
	Icon string
}
