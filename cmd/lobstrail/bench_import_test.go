//go:build unix

package main_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkImport imports git-scraped histories as real processes: a file of all
// accounts that is committed every quarter of an hour, with 1 % of the accounts
// changed from commit to commit. It prints
//
//	snapshots/s    of lobstrail import
//	B/snapshot     of its store, in all
//	peak-MiB       of its memory
//	git-history/s  the same figure of git-history, the tool that people use for
//	               this (github.com/simonw/git-history), where it is installed, on
//	               the first commits of the same repository right after
//	times          how much longer that took than the import of the same commits
//
// The file has 1,000 accounts and 20 commits, or as many as LOBSTRAIL_BENCH_IMPORT
// says: with icons of 4 kB; without; without and with counters of all accounts that
// move in every commit; and with a last_synchronization_time that does:
//
//	LOBSTRAIL_BENCH_IMPORT=10000x100 go test ./cmd/lobstrail -run '^$' -bench Import
func BenchmarkImport(b *testing.B) {
	var accounts, commits int
	size := cmp.Or(os.Getenv("LOBSTRAIL_BENCH_IMPORT"), "1000x20")
	if n, err := fmt.Sscanf(size, "%dx%d", &accounts, &commits); n != 2 || accounts < 1 || commits < 1 {
		b.Fatalf("LOBSTRAIL_BENCH_IMPORT=%s is not a size such as 1000x100: %v", size, err)
	}
	if testing.Short() {
		accounts, commits = 100, 5
	}
	binary := buildCommand(b)
	for _, kind := range []scraped{
		{name: "icons", icons: true},
		{name: "without-icons"},
		{name: "counters-move", moved: 1},
		{name: "synchronised", synced: true},
	} {
		b.Run(kind.name, func(b *testing.B) {
			repo := kind.write(b, accounts, commits)
			benchmarkImport(b, binary, repo, accounts*commits)
			compareGitHistory(b, binary, repo, accounts*min(commits, shortHistory))
		})
	}
}

// scraped is a kind of git-scraped file.
type scraped struct {
	name  string
	icons bool
	moved float64 // the share of accounts whose counters move from commit to commit

	synced bool // all accounts are synchronised between two commits, and nothing else
}

// shortHistory is how many commits git-history is given.
const shortHistory = 8

// write makes the repository, with all commits in branch main and the first ones
// in branch short.
func (s scraped) write(b *testing.B, accounts, commits int) (repo string) {
	b.Helper()
	repo = filepath.Join(b.TempDir(), "repo")
	runGit(b, nil, "init", "--quiet", repo)
	now := time.Date(2026, 1, 5, 6, 0, 0, 0, time.UTC)
	fleet := NewFleet(accounts, 200, now, 1)
	in, out := io.Pipe()
	go func() {
		for i := range commits {
			file := s.file(fleet)
			fmt.Fprintf(out, "commit refs/heads/main\ncommitter cron <cron@example.com> %d +0000\ndata 0\n", now.Unix())
			fmt.Fprintf(out, "M 100644 inline accounts.json\ndata %d\n%s\n", len(file), file)
			if i == min(shortHistory, commits)-1 {
				fmt.Fprint(out, "reset refs/heads/short\nfrom refs/heads/main\n\n")
			}
			now = now.Add(15 * time.Minute)
			if s.synced {
				fleet.Sync(now)
				continue
			}
			fleet.Change(0.01, now)
			fleet.Move(s.moved, now)
		}
		out.Close()
	}()
	runGit(b, in, "-C", repo, "fast-import", "--quiet")
	runGit(b, nil, "-C", repo, "symbolic-ref", "HEAD", "refs/heads/main")
	runGit(b, nil, "-C", repo, "gc", "--quiet")
	runGit(b, nil, "-C", repo, "reset", "--quiet", "--hard")
	return repo
}

// file is the file as it is committed now.
func (s scraped) file(fleet *Fleet) []byte {
	out := []byte("[\n")
	for i, account := range fleet.observed {
		if i > 0 {
			out = append(out, ",\n"...)
		}
		raw := account.Raw
		if from := bytes.Index(raw, []byte(`"icon": "`)); from > 0 && !s.icons {
			rest := raw[bytes.Index(raw, []byte(`"primary_color"`)):]
			raw = append(append([]byte{}, raw[:from]...), rest...)
		}
		out = append(out, raw...)
	}
	return append(out, "\n]\n"...)
}

func runGit(b *testing.B, in io.Reader, args ...string) {
	b.Helper()
	cmd := exec.Command("git", args...)
	cmd.Stdin = in
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("git %v: %v: %s", args, err, out)
	}
}

func benchmarkImport(b *testing.B, binary, repo string, snapshots int) {
	b.Helper()
	var took []time.Duration
	var peak, size int64
	for i := range atLeast(b, 3) {
		db := filepath.Join(b.TempDir(), fmt.Sprint("store", i, ".db"))
		done := launchImport(b, binary, repo, db, snapshots)
		took, peak, size = append(took, done.Took), max(peak, done.Peak), fileSize(b, db)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(size)/float64(snapshots), "B/snapshot")
	b.ReportMetric(float64(snapshots)/median(took).Seconds(), "snapshots/s")
	b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
}

func launchImport(b *testing.B, binary, repo, db string, snapshots int) launched {
	b.Helper()
	done := launch(b, os.Environ(), binary, "import", "--git", repo, "--path", "accounts.json", "--db", db, "--json", "--quiet")
	var run struct{ Captured int }
	if err := json.Unmarshal([]byte(done.Head), &run); err != nil || run.Captured != snapshots {
		b.Fatalf("%d captured, want %d: %v", run.Captured, snapshots, err)
	}
	return done
}

// compareGitHistory gives the short branch to both programs.
func compareGitHistory(b *testing.B, binary, repo string, snapshots int) {
	b.Helper()
	program, err := exec.LookPath("git-history")
	if err != nil {
		return
	}
	dir := b.TempDir()
	short := filepath.Join(dir, "short")
	runGit(b, nil, "clone", "--quiet", "--single-branch", "--branch", "short", repo, short)
	ours := launchImport(b, binary, short, filepath.Join(dir, "store.db"), snapshots)
	theirs := launch(b, os.Environ(), program, "file", filepath.Join(dir, "git-history.db"),
		filepath.Join(short, "accounts.json"), "--repo", short, "--branch", "short", "--id", "id")
	b.ReportMetric(float64(snapshots)/theirs.Took.Seconds(), "git-history/s")
	b.ReportMetric(float64(theirs.Peak)/(1<<20), "git-history-MiB")
	b.ReportMetric(theirs.Took.Seconds()/ours.Took.Seconds(), "times")
}
