package api

import (
	"fmt"
	"net/http"

	"rsc.io/qr"

	"parley/channel"
	"parley/problem"
	"parley/vote"
)

// export writes a vote as a file, by the same rule of visibility as everywhere.
func (a *API) export(w http.ResponseWriter, r *http.Request, who channel.Sender, code, format string) error {
	types := map[string]string{"csv": "text/csv; charset=utf-8", "json": "application/json"}
	if types[format] == "" {
		return problem.NotFound.Detail("a vote is exported as .csv or .json")
	}
	view, err := a.Votes.Export(r.Context(), who, code)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", types[format])
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", "vote-"+view.Code+"."+format))
	if format == "csv" {
		_ = view.WriteCSV(w)
	} else {
		_ = view.WriteJSON(w)
	}
	return nil
}

// voteQR draws the vote's address as a QR code: one path of squares, with the quiet zone of four that scanners need.
func (a *API) voteQR(w http.ResponseWriter, r *http.Request) error {
	code, err := vote.NormalizeCode(r.PathValue("code"))
	if err != nil {
		return err
	}
	symbol, err := qr.Encode(a.url(r, "/v/"+code), qr.M)
	if err != nil {
		return problem.TooLong.Detail("the address is too long for a QR code; set a shorter one with --public-url").Because(err)
	}
	const quiet = 4
	side := symbol.Size + 2*quiet
	h := w.Header()
	h.Set("Content-Type", "image/svg+xml")
	h.Set("Cache-Control", "private, max-age=300")
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%dv%dH0z"/><path d="`, side, side, side, side)
	for y := range symbol.Size {
		for x := 0; x < symbol.Size; x++ {
			run := 0
			for symbol.Black(x+run, y) {
				run++
			}
			if run > 0 {
				fmt.Fprintf(w, "M%d %dh%dv1h-%dz", x+quiet, y+quiet, run, run)
				x += run
			}
		}
	}
	fmt.Fprint(w, `"/></svg>`+"\n")
	return nil
}
