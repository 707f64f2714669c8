package view

import "time"

const clockForm = "2006-01-02 15:04:05 UTC"

// facts are for the head line: how long, since when, how often resumed, saved.
func facts(in Input, v View) []Fact {
	a := in.Snapshot
	all := []Fact{{Label: "Running time", Text: Duration(a.Runtime), Level: OK}}
	if a.StartedAt.IsZero() {
		all[0].Text = None
	} else {
		all = append(all, moment("Started", a.StartedAt))
	}
	switch n := len(v.Marks); {
	case v.Members.Fleet:
		all = append(all, Fact{Label: "Workers", Text: workersText(v.Members), Level: OK})
	case n > 0:
		last := moment("Resumed", time.Unix(v.Marks[n-1].At, 0))
		last.Text = v.Resumed("×") + ", last " + last.Text
		all = append(all, last)
	default:
		all = append(all, Fact{Label: "Resumed", Text: "no", Level: OK})
	}
	if v.State == Finished && !a.FinishedAt.IsZero() {
		all = append(all, moment("Finished", a.FinishedAt))
	}
	return append(all, savedFact(in))
}

func workersText(t MemberTable) string {
	if t.Total == 0 {
		return "none"
	}
	return t.Text
}

func moment(label string, at time.Time) Fact {
	return Fact{Label: label, Text: at.UTC().Format(clockForm), Level: OK, At: at.UTC()}
}

// savedFact says whether what is counted is also kept.
func savedFact(in Input) Fact {
	f := Fact{Label: "State saved", Level: OK}
	saved := in.Snapshot.PersistedAt
	if h := in.Health; h != nil {
		saved = h.LastSave
		switch {
		case !h.Persisting:
			f.Text, f.Level = "no, in memory only", Idle
			return f
		case h.Superseded:
			f.Text, f.Level = "no, another process has taken over", Bad
			return f
		case h.Err != nil:
			f.Level = Bad
		}
	}
	f.Text = "not yet"
	if !saved.IsZero() {
		f.Text = Ago(in.Now.Sub(saved))
	}
	return f
}
