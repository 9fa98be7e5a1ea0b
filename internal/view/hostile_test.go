package view

import (
	"bytes"
	"errors"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
)

// hostile has one of each kind of character that a terminal acts on, and bytes that are none.
const hostile = "a\x1b[2J\x1b]0;title\x07\rb\x00\x08\x7f\u009b31m\u0085\u202eright\u2066\u200f\u2028\U000e0041\x9b\xff\xc3"

// ours are the sequences that the view itself writes.
var ours = regexp.MustCompile("\x1b\\[([0-9]*m|K|J|[0-9]+A|\\?25[hl]|\\?7[hl])|\r\n|\r")

// checkHarmless fails for what came through to the terminal.
func checkHarmless(t *testing.T, what, out string) {
	t.Helper()
	if out == "" {
		t.Errorf("%s wrote nothing", what)
	}
	if strings.Contains(out, "\x1b[2J") || strings.ContainsRune(out, '\u009b') {
		t.Errorf("%s passes a control sequence on: %q", what, out)
	}
	for _, r := range ours.ReplaceAllString(out, "") {
		if r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r >= 0xE0000 {
			t.Errorf("%s passes %U on: %q", what, r, out)
			return
		}
	}
	if strings.Contains(out, "\xff") {
		t.Errorf("%s passes on what is no UTF-8: %q", what, out)
	}
}

// fill makes a value of a type with the hostile text wherever there is room for text. A type that holds more
// of itself is filled three deep.
func fill(typ reflect.Type) reflect.Value { return fillTo(typ, 3) }

func fillTo(typ reflect.Type, depth int) reflect.Value {
	v := reflect.New(typ).Elem()
	if depth == 0 {
		return v
	}
	switch typ.Kind() {
	case reflect.String:
		v.SetString(hostile)
	case reflect.Slice:
		v.Set(reflect.Append(v, fillTo(typ.Elem(), depth-1)))
	case reflect.Struct:
		for i := range typ.NumField() {
			v.Field(i).Set(fillTo(typ.Field(i).Type, depth))
		}
	case reflect.Interface:
		if typ == reflect.TypeFor[error]() {
			v.Set(reflect.ValueOf(clierr.New(clierr.Failed, "%w", errors.New(hostile)).WithNext("%s", hostile)))
		} else {
			v.Set(reflect.ValueOf(hostile))
		}
	case reflect.Int:
		v.SetInt(80)
	}
	return v
}

// Every method of a Printer, also one that is new.
func TestPrinterShowsNoControlCode(t *testing.T) {
	typ := reflect.TypeFor[*Printer]()
	for i := range typ.NumMethod() {
		m := typ.Method(i)
		if m.Name == "Err" || m.Name == "Width" || m.Name == "Blank" {
			continue
		}
		for _, width := range []int{0, 40} {
			var out bytes.Buffer
			args := []reflect.Value{reflect.ValueOf(NewPrinter(&out, true).Width(width))}
			for j := 1; j < m.Type.NumIn(); j++ {
				args = append(args, fill(m.Type.In(j)))
			}
			if m.Type.IsVariadic() {
				m.Func.CallSlice(args)
			} else {
				m.Func.Call(args)
			}
			checkHarmless(t, m.Name, out.String())
		}
	}
}

func TestViewsShowNoControlCode(t *testing.T) {
	for _, mode := range []Mode{TTY, Plain, NDJSON} {
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			v := New(mode, &out, Options{})
			for _, e := range []event.Event{event.Started{}, event.Progress{}, event.Milestone{}, event.Notice{}} {
				v.Emit(fill(reflect.TypeOf(e)).Interface().(event.Event))
			}
			time.Sleep(time.Minute)
			v.Emit(fill(reflect.TypeFor[event.Finished]()).Interface().(event.Event))
			v.Emit(event.Started{Addr: hostile, Verb: event.Apply})
			v.Close()
			checkHarmless(t, string(mode), out.String())
		})
	}
}
