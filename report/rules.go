package report

import "github.com/lobstrail/lobstrail/store"

// rulesVersion is raised whenever [Compare] answers differently than before for
// any states, or the store makes something else of its answers; stores then derive
// everything again.
const rulesVersion = 7

// Rules are the rules that stores are opened with: [Compare]. They are safe for
// concurrent use.
func Rules() store.Rules {
	return store.Rules{Version: rulesVersion, Compare: Compare}
}
