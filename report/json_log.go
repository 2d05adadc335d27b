package report

import "github.com/lobstrail/lobstrail/store/ledger"

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
