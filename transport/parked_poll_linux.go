package transport

import (
	"net/http"

	"parley/channel"
)

func (t *Transport) parkPoll(http.ResponseWriter, *http.Request, query, *channel.Reader, func()) bool {
	return false
}
