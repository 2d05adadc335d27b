package archive

import "crypto/sha256"

// maxDigests bounds each of the two generations, at about a hundred bytes each.
const maxDigests = 1 << 15

type digest [sha256.Size]byte

func digestOf(raw []byte) digest { return sha256.Sum256(raw) }

// digests are the objects seen lately that were found to be accounts without
// secrets, with the account's id. When the young ones are too many they become
// the old ones, and the old ones are forgotten.
type digests struct {
	young, old map[digest]string
}

func (d *digests) id(of digest) string {
	if id := d.young[of]; id != "" {
		return id
	}
	id := d.old[of]
	if id != "" {
		d.add(of, id)
	}
	return id
}

func (d *digests) add(of digest, id string) {
	if len(d.young) >= maxDigests {
		d.young, d.old = nil, d.young
	}
	if d.young == nil {
		d.young = make(map[digest]string)
	}
	d.young[of] = id
}
