// Loads records with Crawlee's own class and prints what it makes of each.
const fs = require('node:fs');
const { Statistics } = require('@crawlee/core');

async function load(file) {
  const record = JSON.parse(fs.readFileSync(file, 'utf8'));
  const store = { getValue: async () => record, setValue: async () => {} };
  const now = Date.now;
  Date.now = () => Date.parse('2026-01-01T00:00:00Z'); // rates depend on the clock
  try {
    const s = new Statistics({ id: 'x', keyValueStore: store });
    await s.startCapturing();
    const loaded = {
      calculate: s.calculate(),
      histogram: s.requestRetryHistogram,
      finished: s.state.requestsFinished,
      failed: s.state.requestsFailed,
      retries: s.state.requestsRetries,
      shortest: s.state.requestMinDurationMillis,
      longest: s.state.requestMaxDurationMillis,
      startedAt: s.state.crawlerStartedAt,
    };
    await s.stopCapturing();
    return loaded;
  } finally {
    Date.now = now;
  }
}

(async () => {
  for (const file of process.argv.slice(2)) console.log(JSON.stringify(await load(file)));
})();
