package postgres

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	migrations "github.com/lobstrail/lobstrail/migrations/postgres"
	"github.com/lobstrail/lobstrail/store/postgres/postgrestest"
)

var update = flag.Bool("update", false, "write migrations/postgres/schema.txt")

// TestSchemaIsThatOfTheMigrations compares the file with a database that was migrated.
func TestSchemaIsThatOfTheMigrations(t *testing.T) {
	s := open(t, postgrestest.Database(t))
	if _, err := s.migrate(t.Context(), current, false); err != nil {
		t.Fatal(err)
	}
	var lines []string
	if err := s.SelectContext(t.Context(), &lines, schemaLines); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(lines, "\n") + "\n"
	if *update {
		if err := os.WriteFile("../../migrations/postgres/schema.txt", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(migrations.Schema, got); diff != "" {
		t.Errorf("schema.txt is not the schema; see -update:\n%s", diff)
	}
}
