package relational

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// SaveMessages stores messages that belong to no evaluation, such as a test.
func (s *Store) SaveMessages(ctx context.Context, messages ...store.Message) error {
	var names []string
	for i := range messages {
		if err := s.knowsWorkspace(ctx, messages[i].Workspace); err != nil {
			return err
		}
		names = append(names, messages[i].Workspace)
	}
	slices.Sort(names)
	return s.db.Write(ctx, slices.Compact(names), func(tx Tx) error {
		for i := range messages {
			err := withAlerts(ctx, tx, messages[i].Workspace, func(w *alertWriter) error { return w.send(ctx, messages[i:i+1]) })
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// send stores messages with a delivery to each of their sinks, which may be tried at once.
// A message whose ID is there already is left out.
func (w *alertWriter) send(ctx context.Context, messages []store.Message) error {
	for i := range messages {
		m := &messages[i]
		if err := m.Check(); err != nil {
			return fmt.Errorf("message %s: %w", m.ID, err)
		}
		if err := w.knows(ctx, "run", m.Run); err != nil {
			return fmt.Errorf("message %s: %w", m.ID, err)
		}
		for _, account := range m.Accounts {
			if err := w.knows(ctx, "account", account); err != nil {
				return fmt.Errorf("message %s: %w", m.ID, err)
			}
		}
		if err := w.insert(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

func (w *alertWriter) insert(ctx context.Context, m *store.Message) error {
	accounts, sinks := jsonList(m.Accounts), jsonList(m.Sinks)
	n, err := w.tx.ExecCount(ctx, `
		INSERT INTO message (ws, n, id, event, condition, run, at, accounts, sinks, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (ws, id) DO NOTHING`,
		w.ws, w.place.Messages+1, m.ID, m.Event, m.Condition, zeroIsNull(m.Run), floorMS(m.At), accounts, sinks, string(m.Body))
	if err != nil || n == 0 {
		return err
	}
	w.place.Messages++
	return insertRows(ctx, w.tx, `INSERT INTO delivery (ws, message, sink, state, attempts, next_at, error, pause, asked) VALUES`, m.Sinks,
		func(values []any, sink string) []any {
			return append(values, w.ws, w.place.Messages, sink, string(store.Waiting), 0, floorMS(m.At), "", 0, 0)
		})
}

// jsonList is a JSON list of texts, never null.
func jsonList[T string | int64](values []T) string {
	list, err := json.Marshal(append([]T{}, values...))
	if err != nil {
		panic("store: " + err.Error()) // they can be marshalled
	}
	return string(list)
}

// SaveDelivery stores how an attempt ended.
func (s *Store) SaveDelivery(ctx context.Context, d store.Delivery) error {
	if err := d.Check(); err != nil {
		return err
	}
	return s.updateAlerts(ctx, d.Workspace, func(w *alertWriter) error {
		n, err := w.tx.ExecCount(ctx, `
			UPDATE delivery SET state = ?, attempts = ?, next_at = ?, ended_at = ?, error = ?, pause = ?, asked = ?
			WHERE ws = ? AND message = (SELECT n FROM message WHERE ws = ?8 AND id = ?) AND sink = ?`,
			d.State, d.Attempts, orNever(d.NextAt), orNever(d.EndedAt), d.Error, flag(d.Pause), flag(d.Asked), w.ws, d.ID, d.Sink)
		if err = changedOne(n, err); err != nil {
			return fmt.Errorf("message %s to %s: %w", d.ID, d.Sink, err)
		}
		return nil
	})
}

// messageRow is a row of table message.
type messageRow struct {
	N         int64         `db:"n"`
	ID        string        `db:"id"`
	Event     string        `db:"event"`
	Condition string        `db:"condition"`
	Run       sql.NullInt64 `db:"run"`
	At        int64         `db:"at"`
	Accounts  string        `db:"accounts"`
	Sinks     string        `db:"sinks"`
	Body      string        `db:"body"`
}

const messageColumns = ` m.n, m.id, m.event, m.condition, m.run, m.at, m.accounts, m.sinks, m.body`

func (r messageRow) message() (m store.Message, err error) {
	m = store.Message{
		ID: r.ID, Event: r.Event, Condition: store.Condition(r.Condition), Run: r.Run.Int64, At: time.UnixMilli(r.At).UTC(),
		Body: json.RawMessage(r.Body),
	}
	if err = json.Unmarshal([]byte(r.Accounts), &m.Accounts); err == nil {
		err = json.Unmarshal([]byte(r.Sinks), &m.Sinks)
	}
	if err != nil {
		return store.Message{}, Damaged("message "+r.ID, err)
	}
	return m, nil
}

// deliveryRow is a row of table delivery, with its message and workspace.
type deliveryRow struct {
	messageRow
	Workspace string        `db:"workspace"`
	Sink      string        `db:"sink"`
	State     string        `db:"state"`
	Attempts  int           `db:"attempts"`
	NextAt    sql.NullInt64 `db:"next_at"`
	EndedAt   sql.NullInt64 `db:"ended_at"`
	Error     string        `db:"error"`
	Pause     bool          `db:"pause"`
	Asked     bool          `db:"asked"`
}

func (r deliveryRow) delivery() (store.Delivery, error) {
	m, err := r.message()
	if err != nil {
		return store.Delivery{}, err
	}
	d := r.standing()
	d.Message, d.Workspace = m, r.Workspace
	return d, nil
}

// standing is the delivery without its message.
func (r deliveryRow) standing() store.Delivery {
	return store.Delivery{
		Sink: r.Sink, State: store.DeliveryState(r.State), Attempts: r.Attempts, NextAt: instant(r.NextAt), EndedAt: instant(r.EndedAt),
		Error: r.Error, Pause: r.Pause, Asked: r.Asked,
	}
}
