// A backend of etsy statsd that appends what each flush holds to config.record,
// one JSON object a line.
const fs = require('fs');

exports.init = function (startup, config, events) {
  events.on('flush', function (time, metrics) {
    const { counters, gauges, timers, sets } = metrics;
    const seen = Object.fromEntries(Object.entries(sets).map(([name, set]) => [name, set.values()]));
    fs.appendFileSync(config.record, JSON.stringify({ counters, gauges, timers, sets: seen }) + '\n');
  });
  return true;
};
