package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/google/renameio/v2/maybe"

	"github.com/lobstrail/lobstrail/cmd/lobstrail/config"
	"github.com/lobstrail/lobstrail/report/alert"
	"github.com/lobstrail/lobstrail/report/notify"
	"github.com/lobstrail/lobstrail/store"
)

// toldOfDamage has, by workspace, the sinks that were told that the store is damaged. It is
// a file, because the store cannot keep this itself. The file is there only as long as
// somebody has to be told that the store works again.
type toldOfDamage map[string][]string

// damageFile is the file of toldOfDamage: beside the store or, if that is on a server, in
// the state folder of this user; "" if there is none.
func (a *app) damageFile() string {
	if onServer(a.db) {
		dir, err := a.env.stateHome()
		if err != nil {
			return ""
		}
		return filepath.Join(dir, "lobstrail", fmt.Sprintf("%x.damaged", sha256.Sum256([]byte(a.storeName()))))
	}
	path, err := filepath.EvalSymlinks(a.db)
	if err != nil {
		path = a.db
	}
	return path + ".damaged"
}

// maxDamageFile bounds it: names of sinks and workspaces are short.
const maxDamageFile = 64 << 10

// readTold reads the file. What cannot be read counts as nobody told: a message too many is
// better than none.
func (a *app) readTold(ctx context.Context) (told toldOfDamage) {
	raw, err := readBounded(ctx, a.damageFile(), maxDamageFile)
	if err != nil || json.Unmarshal(raw, &told) != nil || told == nil {
		return toldOfDamage{}
	}
	return told
}

// has reports whether a sink was told, in whichever workspace: the store is one for all.
func (told toldOfDamage) has(sink string) bool {
	for _, sinks := range told {
		if slices.Contains(sinks, sink) {
			return true
		}
	}
	return false
}

// write stores who was told, or removes the file when there is nobody.
func (told toldOfDamage) write(path string) error {
	if len(told) == 0 {
		return os.Remove(path)
	}
	if path == "" {
		return errors.New("there is no folder for it: neither XDG_STATE_HOME nor HOME is set")
	}
	raw, err := json.Marshal(told)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return maybe.WriteFile(path, raw, 0o600)
}

// tellDamage tells each sink of the workspace once that the store was found damaged, which
// is what reason says, or with a nil reason, those who were told, that it works again. It
// goes around the store. It returns an error for each sink that did not take the message,
// which gets it the next time.
func (a *app) tellDamage(ctx context.Context, reason error) (failed []error) {
	told := a.readTold(ctx)
	before := told[a.workspace]
	if reason == nil && before == nil {
		return nil
	}
	body := alert.RepairedBody(a.workspace, a.env.now())
	wants := func(sink string) bool { return slices.Contains(before, sink) }
	if reason != nil {
		body = alert.DamagedBody(a.workspace, a.env.now(), withoutSecrets(reason.Error()))
		wants = func(sink string) bool { return !told.has(sink) }
	}
	took, failed := a.sendDirectly(ctx, body, wants)
	after := slices.Concat(before, took)
	if reason == nil {
		after = slices.DeleteFunc(slices.Clone(before), func(sink string) bool { return slices.Contains(took, sink) })
		if len(failed) == 0 { // a sink that is no longer configured waits for nothing
			after = nil
		}
	}
	if slices.Equal(before, after) {
		return failed
	}
	if told[a.workspace] = after; len(after) == 0 {
		delete(told, a.workspace)
	}
	if err := told.write(a.damageFile()); err != nil {
		failed = append(failed, fmt.Errorf("who was told that the store is damaged could not be noted: %w", err))
	}
	return failed
}

// sendDirectly sends a message about the store to those sinks of the workspace that want
// it, all at once. It returns the names of those that took it, and an error for each other.
func (a *app) sendDirectly(ctx context.Context, body alert.Body, wants func(sink string) bool) (took []string, failed []error) {
	c, err := a.config(ctx)
	if err != nil {
		return nil, []error{err}
	}
	if rule, given := c.Rules.Conditions[body.Condition]; given && !rule.Enabled {
		return nil, nil
	}
	configured := slices.DeleteFunc(slices.Clone(sinksFor(c, a.workspace)), func(s config.Sink) bool {
		other := s.Conditions != nil && !slices.Contains(s.Conditions, body.Condition)
		return other || s.Settings.Type == notify.Ping || !wants(s.Settings.Name)
	})
	sinks, broken := a.makeSinks(ctx, c, configured)
	errs := make([]error, len(sinks))
	var wait sync.WaitGroup
	for i, sink := range sinks {
		wait.Go(func() {
			bounded, cancel := context.WithTimeout(ctx, sink.Timeout())
			defer cancel()
			errs[i] = sink.Send(bounded, body)
		})
	}
	wait.Wait()
	for i, sink := range sinks {
		if errs[i] == nil {
			took = append(took, sink.Name())
		} else {
			broken[sink.Name()] = errs[i]
		}
	}
	for _, s := range configured { // in the order of the configuration
		if err := broken[s.Settings.Name]; err != nil {
			failed = append(failed, fmt.Errorf("sink %s: %w", s.Settings.Name, err))
		}
	}
	return took, failed
}

// afterSnapshot tells that the store is damaged, or that it works again, by how a snapshot
// ended.
func (a *app) afterSnapshot(ctx context.Context, err error) {
	reason := err
	if !errors.Is(err, store.ErrDamaged) {
		if reason = nil; err != nil && !errors.Is(err, errIncomplete) {
			return // it says nothing about the store
		}
	}
	if ctx.Err() != nil {
		return
	}
	for _, failed := range a.tellDamage(ctx, reason) {
		a.warn("%s", failed)
	}
}
