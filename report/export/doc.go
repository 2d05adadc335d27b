// Package export writes the history of a store as Parquet files, for DuckDB, ClickHouse,
// Spark, Trino and others. [Run] brings a directory up to date:
//
//	DIR/snapshots/workspace=acme/day=2026-11-27/part-0.parquet
//	DIR/changes/workspace=acme/month=2026-11/part-0.parquet
//	DIR/accounts/workspace=acme/part-0.parquet
//	DIR/_lobstrail.json
//
// A partition is one file. It is written to a temporary file, read back, and renamed over
// the one before: a reader finds all of the old rows or all of the new ones. The state file
// is written after all files of a workspace. A run that was killed therefore left only whole
// files, and the next one does its work again.
//
// What can change after it was written is written anew, whole partitions at a time: see
// planner. A directory that holds other files in the folders of the tables, or the
// export of another history, is refused and left as it is.
package export
