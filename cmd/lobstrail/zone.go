package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
	_ "time/tzdata" // a machine without a zone database reads zones too
)

// maxZoneFile bounds a zone file. The largest ones have a few kilobytes.
const maxZoneFile = 1 << 20

// systemZoneFile is where a Unix machine keeps its zone.
const systemZoneFile = "/etc/localtime"

const zoneHint = "set TZ to a name such as Europe/Paris or UTC, to a POSIX zone such as CET-1CEST,M3.5.0,M10.5.0/3, " +
	"or to the path of a zone file; unset it for the zone of the machine"

// localZone returns the zone in which times are shown and read: that of TZ, else
// that of the machine, whose zone file may be a link to a missing database. An
// empty TZ is UTC, as it is for the C library. The error is wrong usage: a zone
// that cannot be loaded is never replaced by UTC.
func localZone(lookup func(string) (string, bool), systemFile string) (*time.Location, error) {
	tz, set := lookup("TZ")
	if !set {
		if _, err := os.Lstat(systemFile); err != nil {
			return time.Local, nil // another kind of machine, or UTC
		}
		zone, err := zoneOfFile(systemFile)
		if err != nil {
			return nil, &usageError{"the time zone of this machine cannot be loaded: " + err.Error(), zoneHint}
		}
		return zone, nil
	}
	zone, err := parseZone(tz)
	if err != nil {
		return nil, &usageError{fmt.Sprintf("TZ=%s: %s", tz, err), zoneHint}
	}
	return zone, nil
}

// parseZone reads a value of TZ.
func parseZone(tz string) (*time.Location, error) {
	name := strings.TrimPrefix(tz, ":")
	switch {
	case name == "":
		return time.UTC, nil
	case filepath.IsAbs(name):
		return zoneOfFile(name)
	case name == "Local": // to Go, it is whatever TZ says
		return nil, errors.New("there is no such time zone")
	}
	if zone, err := time.LoadLocation(name); err == nil {
		return zone, nil
	}
	if zone, ok := posixZone(name); ok {
		return zone, nil
	}
	return nil, errors.New("there is no such time zone")
}

// zoneOfFile reads a zone file. One that is missing below a folder named zoneinfo
// is looked for in the database of the program.
func zoneOfFile(path string) (*time.Location, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return zoneOfMissingFile(path, err)
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // reading a pipe would wait
		return nil, fmt.Errorf("%s is not a file", path)
	}
	raw, err := readBounded(context.Background(), path, maxZoneFile)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocationFromTZData("Local", raw)
	if err != nil {
		return nil, fmt.Errorf("%s is not a zone file", path)
	}
	return zone, nil
}

func zoneOfMissingFile(path string, missing error) (*time.Location, error) {
	if target, err := os.Readlink(path); err == nil {
		path = target
	}
	if _, name, ok := strings.Cut(filepath.ToSlash(path), "/zoneinfo/"); ok {
		if zone, err := time.LoadLocation(name); err == nil {
			return zone, nil
		}
	}
	return nil, missing
}

// posixForm is the shape of a TZ that says all itself: a name, how far it is behind
// UTC, and perhaps the name of summer time, its own offset and its rules
// (POSIX.1-2024, 8.3). Package time checks the ranges of the rules.
var posixForm = regexp.MustCompile(strings.NewReplacer(
	"NAME", `(?:[A-Za-z]{3,16}|<[A-Za-z0-9+-]{3,16}>)`,
	"OFFSET", `[+-]?(?:[01]?\d|2[0-4])(?::[0-5]\d){0,2}`,
	"RULE", `(?:J?\d{1,3}|M\d{1,2}\.\d\.\d)(?:/[+-]?\d{1,3}(?::[0-5]\d){0,2})?`,
).Replace(`^NAMEOFFSET(?:NAME(?:OFFSET)?(?:,RULE,RULE)?)?$`))

// posixZone reads a POSIX zone, and reports whether it is one. It is given to
// package time as the last line of a zone file without transitions (RFC 9636,
// 3.3), with one local time that only shows if the line is not understood.
func posixZone(tz string) (*time.Location, bool) {
	if !posixForm.MatchString(tz) {
		return nil, false
	}
	const fallback = "none"
	file := []byte("TZif2" + strings.Repeat("\x00", 39))            // the header of version 1, of nothing
	file = append(file, "TZif2"+strings.Repeat("\x00", 15+4*4)...)  // no indicators, leap seconds, transitions
	file = append(file, 0, 0, 0, 1, 0, 0, 0, byte(len(fallback)+1)) // one local time, and the bytes of its name
	file = append(file, 0, 0, 0, 0, 0, 0)                           // at UTC
	file = append(file, fallback+"\x00"+"\n"+tz+"\n"...)
	zone, err := time.LoadLocationFromTZData("Local", file)
	if err != nil {
		return nil, false
	}
	name, _ := time.Unix(0, 0).In(zone).Zone()
	return zone, name != fallback
}
