package sqlite

import "parley/channel"

const keepSlack = 256

type keeper struct{}

func newKeeper(e *Engine) *keeper    { return &keeper{} }
func (k *keeper) start()             {}
func (k *keeper) stop()              {}
func (k *keeper) nudge(channel.Name) {}
