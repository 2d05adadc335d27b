package main

import (
	"encoding/csv"
	"math"
	"strconv"
	"strings"
	"testing"
)

// TestTimesInTheStatusTableAddUp: the least times of an account, with what is
// uncertain and not watched, are the period.
func TestTimesInTheStatusTableAddUp(t *testing.T) {
	t.Parallel()
	o := within(0, nil, "report", "status", "--since", "2w", "--until", "1d", "--format", "csv", "--db", demoStore(t))
	rows, err := csv.NewReader(strings.NewReader(o.stdout)).ReadAll() // it refuses rows of another length
	if err != nil || len(rows) < 30 {
		t.Fatalf("%d rows, %v: %s", len(rows), err, o)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	sums := map[string]float64{}
	for _, row := range rows[1:] {
		if row[column["section"]] != "time" {
			continue
		}
		seconds, err := strconv.ParseFloat(row[column["min_seconds"]], 64)
		if err != nil {
			t.Fatal(err)
		}
		sums[row[column["account"]]] += seconds
	}
	if len(sums) < 10 {
		t.Errorf("only %d accounts", len(sums))
	}
	for account, sum := range sums {
		if math.Abs(sum-13*24*3600) > 1 {
			t.Errorf("%s: %v seconds", account, sum)
		}
	}
}
