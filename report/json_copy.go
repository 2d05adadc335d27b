package report

import "github.com/lobstrail/lobstrail/store"

// CopiedJSON is what `copy` copied of a workspace.
type CopiedJSON struct {
	Workspace Text   `json:"workspace"`
	Copied    int64  `json:"copied"`    // entries of the log
	Size      int64  `json:"size"`      // entries that both logs have
	Root      string `json:"root"`      // of the tree over them, base64
	Responses int64  `json:"responses"` // copied
	Snapshots int64  `json:"snapshots"` // that these stand for
	Pruned    int64  `json:"pruned"`    // responses that were dropped from the copy, as they were from the source
	Redacted  int64  `json:"redacted"`  // accounts that were redacted in the copy, as they were in the source
	Alerts    bool   `json:"alerts"`    // alerts, messages, silences or cursors were copied
}

// NewCopiedJSON converts what was copied.
func NewCopiedJSON(c store.Copied) CopiedJSON {
	return CopiedJSON{
		Text(c.Workspace), c.Tree.N - c.Before, c.Tree.N, c.Tree.Hash.String(), c.Responses, c.Snapshots, c.Pruned, c.Redacted, c.Alerts,
	}
}
