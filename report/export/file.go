package export

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"
)

const (
	batchRows = 1024 // are handed to the writer at once
	// A row group is kept in memory until it is written.
	groupRows  = 1 << 20
	groupBytes = 64 << 20
	// dictionaryBytes is how large a dictionary may grow before texts are written as they are.
	dictionaryBytes = 1 << 20
)

// fileWriter writes the rows of a partition.
type fileWriter struct {
	file    *os.File
	buffer  *bufio.Writer
	out     *parquet.GenericWriter[any]
	columns []*converter
	values  [][]parquet.Value // of the rows that wait, by column
	rows    int64
	inGroup int64 // rows of the row group under way
	bytes   int64 // of the texts in it
}

func newFileWriter(t *table, file *os.File) *fileWriter {
	w := &fileWriter{file: file, buffer: bufio.NewWriterSize(file, 1<<20), values: make([][]parquet.Value, len(t.columns))}
	for i, c := range t.columns {
		w.columns = append(w.columns, &converter{column: c, number: i})
		w.values[i] = make([]parquet.Value, 0, batchRows)
	}
	options := []parquet.WriterOption{
		t.schema(), parquet.Compression(&parquet.Zstd), parquet.DataPageVersion(1), parquet.DictionaryMaxBytes(dictionaryBytes),
		// Equal rows make equal files, whichever version wrote them.
		parquet.CreatedBy("lobstrail", fmt.Sprint(layout), "0"),
	}
	for _, c := range t.columns {
		if c.kind == object { // the least and the greatest of them say nothing
			options = append(options, parquet.SkipPageBounds(c.name))
		}
	}
	w.out = parquet.NewGenericWriter[any](w.buffer, options...)
	return w
}

// write takes a row of a query.
func (w *fileWriter) write(row []any) error {
	for i, c := range w.columns {
		v, err := c.value(row[i])
		if err != nil {
			return err
		}
		w.values[i] = append(w.values[i], v)
		if v.Kind() == parquet.ByteArray {
			w.bytes += int64(len(v.ByteArray()))
		}
	}
	w.rows++
	if w.inGroup++; len(w.values[0]) < batchRows && w.bytes < groupBytes {
		return nil
	}
	if err := w.handOver(); err != nil {
		return err
	}
	if w.inGroup >= groupRows || w.bytes >= groupBytes {
		w.inGroup, w.bytes = 0, 0
		return w.out.Flush()
	}
	return nil
}

// handOver gives the rows that wait to the writer.
func (w *fileWriter) handOver() error {
	for i, column := range w.out.ColumnWriters() {
		if _, err := column.WriteRowValues(w.values[i]); err != nil {
			return err
		}
		w.values[i] = w.values[i][:0]
	}
	return nil
}

// close ends the file and brings it to the disk.
func (w *fileWriter) close() error {
	if err := w.handOver(); err != nil {
		return err
	}
	if err := w.out.Close(); err != nil {
		return err
	}
	return errors.Join(w.buffer.Flush(), w.file.Sync())
}

// readBack reads a file that was just written. It returns an error unless the file has
// exactly rows rows and all can be read.
func readBack(file *os.File, rows int64) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	opened, err := parquet.OpenFile(file, info.Size())
	if err != nil {
		return fmt.Errorf("read %s back: %w", file.Name(), err)
	}
	for _, group := range opened.RowGroups() {
		for _, chunk := range group.ColumnChunks() {
			n, err := countValues(chunk)
			if err == nil && n != group.NumRows() {
				err = fmt.Errorf("a column has %d values instead of %d", n, group.NumRows())
			}
			if err != nil {
				return fmt.Errorf("read %s back: %w", file.Name(), err)
			}
		}
	}
	if opened.NumRows() != rows {
		return fmt.Errorf("read %s back: %d rows instead of %d", file.Name(), opened.NumRows(), rows)
	}
	return nil
}

// countValues decodes the pages of a column, and counts what is in them.
func countValues(chunk parquet.ColumnChunk) (n int64, err error) {
	pages := chunk.Pages()
	defer pages.Close()
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		n += page.NumValues()
		parquet.Release(page)
	}
}
