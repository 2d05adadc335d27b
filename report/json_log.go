package report

import (
	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/ledger"
)

// KeyJSON is a key that signs checkpoints: the answer of `key`.
type KeyJSON struct {
	Name     string `json:"name"` // the origin of its checkpoints
	Key      string `json:"key"`  // the name, a plus sign and the id
	Verifier string `json:"verifier"`
	File     string `json:"file"` // where the signer key is
}

// CheckpointJSON is a signed checkpoint: the answer of `checkpoint`.
type CheckpointJSON struct {
	Origin     string   `json:"origin"`
	Size       int64    `json:"size"` // entries in the log
	Root       string   `json:"root"` // base64
	SignedBy   []string `json:"signed_by"`
	Checkpoint string   `json:"checkpoint"` // the signed note
	File       Text     `json:"file"`       // null: it was only printed
	Appended   bool     `json:"appended"`   // false: the file had it already
}

// NewCheckpointJSON converts a checkpoint whose signatures were checked.
func NewCheckpointJSON(s ledger.Signed) CheckpointJSON {
	return CheckpointJSON{
		Origin: s.Origin, Size: s.N, Root: s.Hash.String(), SignedBy: nonNil(s.By), Checkpoint: string(s.Note),
	}
}

// BackupJSON is a backup that was made: the answer of `backup`.
type BackupJSON struct {
	File    string    `json:"file"`
	Bytes   int64     `json:"bytes"`
	Size    int64     `json:"size"`    // entries in all logs
	Root    Text      `json:"root"`    // of the tree over them, base64; null: there are several logs
	Logs    []LogJSON `json:"logs"`    // by workspace
	Kept    []string  `json:"kept"`    // older backups, the newest first
	Removed int       `json:"removed"` // how many older backups made room
}

// LogJSON is the log of a workspace.
type LogJSON struct {
	Workspace Text   `json:"workspace"`
	Size      int64  `json:"size"` // entries
	Root      string `json:"root"` // of the tree over them, base64
}

// newLogs converts the trees of logs. Of several logs there is no one root.
func newLogs(trees map[string]tlog.Tree) (logs []LogJSON, size int64, root Text) {
	logs = []LogJSON{}
	for _, name := range sortedNames(trees) {
		tree := trees[name]
		logs = append(logs, LogJSON{Text(name), tree.N, tree.Hash.String()})
		size += tree.N
	}
	if len(logs) == 1 {
		root = Text(logs[0].Root)
	}
	return logs, size, root
}

// NewBackupJSON converts a backup.
func NewBackupJSON(b store.Backup) BackupJSON {
	j := BackupJSON{File: b.Path, Bytes: b.Bytes, Kept: nonNil(b.Kept), Removed: b.Removed}
	j.Logs, j.Size, j.Root = newLogs(b.Trees)
	return j
}

// VerifyJSON is what was checked of a store, and found: the answer of `verify`.
type VerifyJSON struct {
	OK          bool          `json:"ok"`      // nothing was found
	Entries     int64         `json:"entries"` // in all logs
	Root        Text          `json:"root"`    // of the tree over them, base64; null: there are several logs
	Logs        []LogJSON     `json:"logs"`    // by workspace
	Responses   int64         `json:"responses"`
	Snapshots   int64         `json:"snapshots"`
	Documents   int64         `json:"documents"`
	Versions    int64         `json:"versions"`
	Checkpoints int           `json:"checkpoints"` // that the log was held to
	Found       int64         `json:"found"`
	Findings    []FindingJSON `json:"findings"` // the first thousand
}

// FindingJSON is something that is not as it was written.
type FindingJSON struct {
	Table   Text   `json:"table"` // null: it is about the file
	Row     Text   `json:"row"`   // null: it is about no one row
	Problem string `json:"problem"`
}

// NewVerifyJSON converts what a check has looked at, and the first findings.
func NewVerifyJSON(v store.Verified, findings []store.Finding) VerifyJSON {
	j := VerifyJSON{
		OK: v.Findings == 0, Responses: v.Responses, Snapshots: v.Snapshots,
		Documents: v.Documents, Versions: v.Versions, Found: v.Findings, Findings: []FindingJSON{},
	}
	j.Logs, j.Entries, j.Root = newLogs(v.Trees)
	for _, f := range findings {
		j.Findings = append(j.Findings, FindingJSON{Text(f.Table), Text(f.Row), f.Problem})
	}
	return j
}
