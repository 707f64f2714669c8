package stats

import "time"

// rollback is what a store has lost of the saves it had acknowledged: it was
// restarted from an older copy, failed over to a replica that was behind, emptied,
// or evicted the record.
type rollback struct {
	saves int64     // at most: tries that failed in between are in it
	left  time.Time // of the record that stands there; zero: there is none
	had   time.Time // of the newest one that was acknowledged
}

// lose notes that there stands where the store had acknowledged newer records of
// this owner, and that there is what it has from now on.
func (k *keeper) lose(there header) {
	if there.seq >= k.acked.seq {
		return
	}
	r := &rollback{saves: int64(k.acked.seq - there.seq), left: there.at, had: k.acked.at}
	if earlier := k.lost.Swap(nil); earlier != nil { // nobody was told yet
		r.saves, r.had = r.saves+earlier.saves, earlier.had
	}
	k.lost.Store(r)
	k.acked = there
}

// tellLost says what the store has lost since it was last asked. It is lost for
// good only if this process dies before its next save: that one holds it all.
func (s *Statistics) tellLost() {
	r := s.keeper.lost.Swap(nil)
	if r == nil {
		return
	}
	s.health.lose(r.saves)
	log := s.cfg.Logger.With("crawler", s.cfg.ID, "key", s.cfg.Key, "saves", r.saves, "acknowledged_at", wall(r.had))
	if r.left.IsZero() {
		log.Warn("the store has lost the record of the statistics: it is written again from memory")
		return
	}
	log.Warn("the store has lost saves it had acknowledged: the newest state is written again from memory",
		"left_from", wall(r.left), "behind", r.had.Sub(r.left).String())
}
