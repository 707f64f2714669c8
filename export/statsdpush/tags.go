package statsdpush

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/cactus/go-statsd-client/v5/statsd"

	"github.com/crawlstats/crawlstats/export/catalogue"
)

// Name joins parts to a dotted name. Each part becomes one segment: letters,
// digits, _ and - stay, every other rune, dots included, becomes _.
func Name(parts ...string) string {
	segments := make([]string, len(parts))
	for i, p := range parts {
		segments[i] = catalogue.Segment(p)
	}
	return strings.Join(segments, ".")
}

// ParseTags reads tags from one string, "app:my-app,zone:eu". The value is what
// stands behind the first colon. "" is no tags.
func ParseTags(s string) ([]statsd.Tag, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	var tags []statsd.Tag
	for part := range strings.SplitSeq(s, ",") {
		key, value, ok := strings.Cut(strings.TrimSpace(part), ":")
		if !ok {
			return nil, fmt.Errorf("statsdpush: parse tags: %q is not of the form key:value", part)
		}
		tags = append(tags, statsd.Tag{key, value})
	}
	if err := checkTags(tags); err != nil {
		return nil, fmt.Errorf("statsdpush: parse tags: %w", err)
	}
	return tags, nil
}

var tagKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,63}$`)

// checkTags refuses tags of the caller's that cannot be sent as they are.
func checkTags(tags []statsd.Tag) error {
	var errs []error
	for i, t := range tags {
		switch key, value := t[0], t[1]; {
		case !tagKey.MatchString(key):
			errs = append(errs, fmt.Errorf("key %q is not a letter or _ with up to 63 letters, digits, _ or - behind it", key))
		case catalogue.ReservedLabel(strings.ToLower(key)):
			errs = append(errs, fmt.Errorf("key %q is kept by statsd_exporter for itself: choose another", key))
		case value == "":
			errs = append(errs, fmt.Errorf("key %q has no value", key))
		case value != tagValue(value, statsd.SuffixOctothorpe):
			errs = append(errs, fmt.Errorf("value %q of key %q holds a space, a control character, | , or #, or is longer than 200 bytes", value, key))
		case slices.ContainsFunc(tags[:i], func(o statsd.Tag) bool { return catalogue.PromName(o[0]) == catalogue.PromName(key) }):
			errs = append(errs, fmt.Errorf("key %q stands twice", key))
		}
	}
	return errors.Join(errs...)
}

// cleanTags returns tags as the format can write them.
func cleanTags(tags []statsd.Tag, format statsd.TagFormat) []statsd.Tag {
	cleaned := make([]statsd.Tag, 0, len(tags))
	for _, t := range tags {
		cleaned = append(cleaned, statsd.Tag{t[0], tagValue(t[1], format)})
	}
	return cleaned
}

// rehoming tags change where a metric is shown to come from, so labels of those
// names get "label_" before them.
var rehoming = []string{"host", "device", "source", "service", "job", "instance"}

// labelTags appends the labels of an instrument to the tags of all lines.
func labelTags(tags []statsd.Tag, labels []catalogue.Label, format statsd.TagFormat) []statsd.Tag {
	all := slices.Clone(tags)
	for _, l := range labels {
		key := catalogue.PromLabel(l.Key)
		if slices.Contains(rehoming, key) {
			key = "label_" + key
		}
		if slices.ContainsFunc(all, func(t statsd.Tag) bool { return catalogue.PromName(t[0]) == key }) {
			key += "_" + catalogue.Hash(l.Key)
		}
		all = append(all, statsd.Tag{key, tagValue(l.Value, format)})
	}
	return all
}

// tagValue makes s a value that ends neither the tag nor the line.
func tagValue(s string, format statsd.TagFormat) string {
	if s == "" {
		return "none"
	}
	special := "|,#"
	if format&statsd.AllInfix != 0 {
		special = "|,#;=:"
	}
	return catalogue.LabelValue(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(special, r) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(s, "_")))
}
