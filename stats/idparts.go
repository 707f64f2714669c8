package stats

// idParts is the table of one shard, in parts that grow one by one: what is in
// flight may be millions, and a Start moves the entries of one small part at the
// most. It begins as a single part.
type idParts struct {
	n      int32     // entries
	mask   uint16    // one less than there are parts
	most   uint16    // parts to divide into
	single idTable   // the only part, until it is divided
	parts  []idTable // as many as a power of two
}

const (
	divideAt    = 1664 // entries: what fits into 2,048 slots
	partEntries = 1536 // of a part when the table is as full as it may be
	maxParts    = 1024 // of a shard: beyond 400 million entries, parts are larger
)

// part returns where key belongs. The low bits of a hash choose the shard, the
// next ones the part and the high ones the slot.
func (p *idParts) part(key uint64) *idTable {
	if p.mask == 0 {
		return &p.single
	}
	return &p.parts[key/inFlightShards&uint64(p.mask)]
}

// each calls fn for every entry.
func (p *idParts) each(fn func(slot)) {
	p.single.each(fn)
	for i := range p.parts {
		p.parts[i].each(fn)
	}
}

func (p *idParts) get(key uint64) *slot { return p.part(key).get(key) }

// put adds an entry for a key that is not there.
func (p *idParts) put(key uint64, e entry) {
	if p.n == divideAt && p.mask == 0 && p.most > 1 {
		p.move(p.most)
	}
	p.part(key).put(key, e)
	p.n++
}

// remove removes the entry of key.
func (p *idParts) remove(key uint64) (e entry, ok bool) {
	if e, ok = p.part(key).remove(key); ok {
		p.n--
		if p.n < divideAt/8 && p.mask > 0 {
			p.move(1)
		}
	}
	return e, ok
}

// move puts every entry into n new parts.
func (p *idParts) move(n uint16) {
	old := *p
	p.mask, p.single, p.parts = n-1, idTable{}, nil
	if n > 1 {
		p.parts = make([]idTable, n)
	}
	old.each(func(s slot) { p.part(s.key).put(s.key, s.entry) })
}
