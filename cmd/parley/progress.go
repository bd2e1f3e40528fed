package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// progressLine shows how far something is: a bar that is drawn over and over on a terminal, and elsewhere a plain line now and
// then.
type progressLine struct {
	w        io.Writer
	terminal bool
	last     time.Time // of the plain lines
	drawn    bool
}

// plainEvery is how often a plain line is written.
const plainEvery = 5 * time.Second

func newProgressLine(f *os.File) *progressLine {
	info, err := f.Stat()
	return &progressLine{w: f, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb", last: time.Now()}
}

func (p *progressLine) show(done float64, text string) {
	if !p.terminal {
		if time.Since(p.last) >= plainEvery {
			p.last = time.Now()
			fmt.Fprintf(p.w, "%3.0f%%  %s\n", done*100, text)
		}
		return
	}
	const width = 20
	full := int(done * width)
	// Without wrapping (DECAWM): a line that is too long is cut off, and not drawn below itself again and again.
	fmt.Fprintf(p.w, "\x1b[?7l\r[%s%s] %s\x1b[K\x1b[?7h", strings.Repeat("█", full), strings.Repeat("·", width-full), text)
	p.drawn = true
}

// say writes a line that stays.
func (p *progressLine) say(line string) {
	p.end()
	fmt.Fprintln(p.w, line)
}

// end leaves the line clear for what comes next.
func (p *progressLine) end() {
	if p.drawn {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.drawn = false
	}
}
