package vote

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"strconv"
	"strings"

	"parley/channel"
)

// Export is the vote of a code as viewer may see it, with every name where a View has a limit.
func (s *Service) Export(ctx context.Context, viewer channel.Sender, code string) (View, error) {
	v, err := s.Get(ctx, viewer, code)
	if err != nil {
		return View{}, err
	}
	return s.view(ctx, viewer, v, 0)
}

// WriteJSON writes the view as one JSON object.
func (view View) WriteJSON(w io.Writer) error { return json.NewEncoder(w).Encode(view) }

// WriteCSV writes a line for each option: id, option, count (empty while hidden), and for named votes who, the names
// joined by semicolons. It is CSV after RFC 4180, in UTF-8 with the byte order mark that Excel wants.
//
// Cells that a spreadsheet would take for a formula get a leading apostrophe, and all texts are quoted (OWASP, CSV Injection).
func (view View) WriteCSV(w io.Writer) error {
	out := bufio.NewWriter(w)
	out.WriteString("\ufeffid,option,count")
	if view.Named {
		out.WriteString(",who")
	}
	out.WriteString("\r\n")
	for _, o := range view.Options {
		out.WriteString(strconv.Itoa(o.ID) + "," + cell(o.Text) + ",")
		if o.Count != nil {
			out.WriteString(strconv.Itoa(*o.Count))
		}
		if view.Named {
			names := make([]string, len(o.Who))
			for i, who := range o.Who {
				names[i] = guard(who.Name) // each, because some spreadsheets split cells at semicolons
			}
			out.WriteString("," + cell(strings.Join(names, "; ")))
		}
		out.WriteString("\r\n")
	}
	return out.Flush()
}

// cell quotes a text, and keeps it from being a formula.
func cell(s string) string { return `"` + strings.ReplaceAll(guard(s), `"`, `""`) + `"` }

func guard(s string) string {
	if r := []rune(s); len(r) > 0 && strings.ContainsRune("=+-@\t\r\n＝＋－＠", r[0]) {
		return "'" + s
	}
	return s
}
