package impact

import "github.com/lobstrail/lobstrail/report"

// followChains adds what the squids that break start: it starts no longer. A squid is
// followed once, so that a circle ends.
func (w *work) followChains() {
	var breaking []chained
	for _, row := range w.rows {
		if row.Breaks {
			breaking = append(breaking, chained{row: row, chain: w.squids[row.ID].Chain})
		}
	}
	for len(breaking) > 0 {
		next := breaking[0]
		breaking = append(breaking[1:], w.follow(next)...)
	}
}

// chained is a squid that breaks, and what it starts.
type chained struct {
	row   *SquidImpact
	chain []Link
	depth int
}

// follow makes the squids that a broken one starts break, and returns those that did not
// break before.
func (w *work) follow(from chained) (more []chained) {
	name := w.squid(Squid{ID: from.row.ID, Name: string(from.row.Name)})
	switch {
	case from.chain == nil && w.Live:
		w.problem("it is not known which squids " + name + " starts")
	case from.depth == MaxChain && len(from.chain) > 0:
		w.problem("the chain of squids was not followed beyond " + name)
		return nil
	}
	for _, link := range from.chain {
		target, known := w.squids[link.ID]
		if !link.Active || target.Deleted {
			continue
		}
		if !known {
			target = Squid{ID: link.ID, Name: link.Name}
		}
		row := w.find(link.ID)
		if row == nil {
			row = w.row(target, Chained)
			w.judge(target, row)
		}
		if row.Breaks {
			continue
		}
		row.Breaks, row.StartedBy = true, report.Text(from.row.ID)
		chain := target.Chain
		if chain == nil {
			chain = link.Chain
		}
		more = append(more, chained{row: row, chain: chain, depth: from.depth + 1})
	}
	return more
}

func (w *work) problem(text string) { w.out.Problems = append(w.out.Problems, report.Text(text)) }

func (w *work) find(id string) *SquidImpact {
	for _, row := range w.rows {
		if row.ID == id {
			return row
		}
	}
	return nil
}
