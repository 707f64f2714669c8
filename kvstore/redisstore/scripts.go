package redisstore

import (
	"context"
	"crypto/sha1"
	"encoding/hex"

	"github.com/redis/go-redis/v9"
)

// revision is the part that scripts share. It gives sixteen zeros for a key that
// does not exist, and for one that this package did not write "damaged".
const revision = `
local function revision(key)
  local kind = redis.call('TYPE', key).ok
  if kind == 'none' then return '0000000000000000' end
  if kind ~= 'hash' then return 'damaged' end
  local rev = redis.call('HGET', key, 'rev')
  if rev and #rev == 16 and not rev:find('[^0-9a-f]') and rev:find('[^0]') and redis.call('HEXISTS', key, 'v') == 1 then
    return rev
  end
  return 'damaged'
end
`

var (
	// loadScript has KEYS: key. It returns the revision and the value.
	loadScript = newScript(revision + `
local rev = revision(KEYS[1])
if rev == 'damaged' then return {rev} end
return {rev, redis.call('HGET', KEYS[1], 'v')}
`)

	// saveScript has KEYS: key, where a damaged one goes; ARGV: the previous
	// revision, the new one, the value.
	saveScript = newScript(revision + `
local rev = revision(KEYS[1])
if rev == ARGV[2] then return 'done' end -- this very save, sent twice
if rev == 'damaged' and ARGV[1] == '0000000000000000' then
  redis.call('RENAME', KEYS[1], KEYS[2])
  rev = ARGV[1]
end
if rev ~= ARGV[1] then return 'conflict' end
redis.call('HSET', KEYS[1], 'rev', ARGV[2], 'v', ARGV[3])
return 'done'
`)

	// deleteScript has KEYS: key; ARGV: its revision.
	deleteScript = newScript(revision + `
local rev = revision(KEYS[1])
if rev == '0000000000000000' then return 'none' end
if rev ~= ARGV[1] then return 'conflict' end
redis.call('DEL', KEYS[1])
return 'done'
`)

	// scanScript has KEYS: any key of the slot, so that a cluster asks the right
	// server; ARGV: the cursor, the pattern.
	scanScript = newScript(`return redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', 1000)`)

	// memoryScript has KEYS: any key of the slot. It returns an empty text where
	// INFO is not allowed.
	memoryScript = newScript(`
local info = redis.pcall('INFO', 'memory')
return type(info) == 'string' and info or ''
`)
)

// script is a Lua script and what the server calls it once it knows it.
type script struct{ text, sha string }

func newScript(text string) script {
	sum := sha1.Sum([]byte(text))
	return script{text, hex.EncodeToString(sum[:])}
}

// once is a command that the client must not repeat by itself: after a repeated
// one, an error no longer tells whether the first was applied.
type once struct{ *redis.Cmd }

func (once) NoRetry() bool { return true }

// run runs the script by its name, and by its text where the server does not
// know the name. Errors are typed.
func (s script) run(ctx context.Context, client redis.UniversalClient, keys []string, args ...any) (any, error) {
	reply, err := s.send(ctx, client, "evalsha", s.sha, keys, args)
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		reply, err = s.send(ctx, client, "eval", s.text, keys, args)
	}
	if err != nil {
		return nil, typed(err)
	}
	return reply, nil
}

func (s script) send(ctx context.Context, client redis.UniversalClient, verb, name string, keys []string, args []any) (any, error) {
	words := []any{verb, name, len(keys)}
	for _, key := range keys {
		words = append(words, key)
	}
	cmd := once{redis.NewCmd(ctx, append(words, args...)...)}
	cmd.SetFirstKeyPos(3)
	_ = client.Process(ctx, cmd) // the error is in cmd, too
	return cmd.Result()
}
