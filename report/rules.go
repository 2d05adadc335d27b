package report

import "github.com/lobstrail/lobstrail/store"

// rulesVersion is raised whenever [Read] or [Diff] answer differently than
// before for any states; stores then derive everything again.
const rulesVersion = 1

// Rules are the rules that stores are opened with: [Read] and [Diff]. They are
// safe for concurrent use.
func Rules() store.Rules {
	return store.Rules{Version: rulesVersion, Read: Read, Diff: Diff}
}
