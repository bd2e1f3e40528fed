package transport

import "time"

// SettleAfter sets what is a second otherwise.
func (t *Transport) SettleAfter(d time.Duration) { t.settleAfter = d }
