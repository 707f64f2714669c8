'use strict';
// The three charts. Rows of the history are arrays: [end of step, finished,
// failed, discarded, retried, in flight, p50, p95, p99 in µs, 2xx, 3xx, 4xx, 5xx,
// other]; a row of its time alone is a gap that no line crosses.
const nf = new Intl.NumberFormat('en-US');
const nf1 = new Intl.NumberFormat('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const css = v => getComputedStyle(document.documentElement).getPropertyValue(v).trim();
// As view.Rate and view.Latency write them.
const rate = v => v >= 99.95 ? nf.format(Math.round(v)) : v > 0 && v < .05 ? '<0.1' : nf1.format(v);
const ms = v => v == null ? '–' : v >= 59950 ? span(Math.round(v / 1000)) : v >= 995 ? (v / 1000).toFixed(1) + ' s' : v >= 9.95 ? v.toFixed(0) + ' ms' : v >= .995 ? v.toFixed(1) + ' ms' : Math.ceil(v * 1000) + ' µs';
const span = s => s >= 3600 ? `${Math.floor(s / 3600)}h ${Math.floor(s % 3600 / 60)}m` : `${Math.floor(s / 60)}m ${s % 60}s`;

const charts = (() => {
  const LINES = {
    thr: [['finished', 'finished', r => r[1]], ['failed', 'failed', r => r[2]], ['retried', 'retried', r => r[4]]],
    lat: [['p50', 'p50', r => r[6]], ['p95', 'p95', r => r[7]], ['p99', 'p99', r => r[8]]],
    code: [['c2', '2xx'], ['c3', '3xx'], ['c4', '4xx'], ['c5', '5xx'], ['c0', 'other']],
  };
  const WIDTHS = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 900, 1800, 3600, 7200, 10800, 21600];
  const plots = {}, shown = {};
  let marks = [], last = null;

  function axes(format, size, filter) {
    const a = { stroke: css('--axis'), font: `12px ${css('--sans')}`, grid: { stroke: css('--grid'), width: 1 }, ticks: { show: false } };
    return [
      { ...a, grid: { show: false }, size: 26, gap: 6, space: 90, values: (u, ts) => ts.map(t => time(t, u.scales.x)) },
      { ...a, size, gap: 6, space: filter ? 14 : 34, values: format, ...(filter && { filter, grid: { ...a.grid, filter } }) },
    ];
  }

  function time(t, scale) {
    const d = new Date(t * 1000), s = d.toTimeString(), span = scale.max - scale.min;
    return span > 90000 ? `${d.getDate()} ${d.toLocaleString('en-GB', { month: 'short' })} ${s.slice(0, 5)}` : s.slice(0, span < 240 ? 8 : 5);
  }

  // A dashed line where the crawl was picked up from its saved state.
  function drawMarks(u) {
    const g = u.ctx, { left, top, width, height } = u.bbox, r = devicePixelRatio || 1;
    let free = -Infinity; // where there is room for the next word
    g.save();
    g.strokeStyle = g.fillStyle = css('--ink3');
    g.lineWidth = r;
    g.setLineDash([4 * r, 4 * r]);
    g.font = `${11.5 * r}px ${css('--sans')}`;
    g.textBaseline = 'top';
    for (const m of marks) {
      const x = Math.round(u.valToPos(m.at, 'x', true));
      if (x < left || x > left + width) continue;
      g.beginPath(); g.moveTo(x + .5, top); g.lineTo(x + .5, top + height); g.stroke();
      const w = g.measureText(m.text).width, right = x + 5 * r + w <= left + width;
      if ((right ? x : x - 5 * r - w) < free) continue;
      g.textAlign = right ? 'left' : 'right';
      g.fillText(m.text, right ? x + 5 * r : x - 5 * r, top + 2 * r);
      free = (right ? x + w : x) + 12 * r;
    }
    g.restore();
  }

  // Points stand alone where nothing was finished in the steps beside them.
  const alone = (u, s) => u.data[s].flatMap((v, i) => v != null && u.data[s][i - 1] == null && u.data[s][i + 1] == null ? [i] : []);

  function make(key, series, yAxes, y, format) {
    const box = document.getElementById('c-' + key), list = document.getElementById('l-' + key);
    box.replaceChildren();
    list.replaceChildren();
    const out = LINES[key].map(([name, label]) => {
      const li = document.createElement('li'), sw = document.createElement('span'), b = document.createElement('b');
      sw.className = `sw ${key === 'code' ? '' : 'ln '}k-${name}`;
      li.append(sw, label, b);
      list.append(li);
      return b;
    });
    const show = u => {
      const n = u.data[0].length - 1, i = u.cursor.idx ?? n;
      out.forEach((b, s) => { const v = shown[key]?.[s]?.[i]; b.textContent = v == null ? '–' : format(v); });
    };
    return new uPlot({
      width: box.clientWidth, height: box.clientHeight, series: [{}, ...series], axes: yAxes, scales: { x: { time: true }, y },
      legend: { show: false }, padding: [8, 4, 0, 0],
      cursor: { y: false, points: { size: 6 }, sync: { key: 'crawl' }, drag: { x: false, y: false } },
      hooks: { draw: [drawMarks], setCursor: [show], setData: [show] },
    }, [[], ...series.map(() => [])], box);
  }

  const decade = v => { const p = 10 ** Math.floor(Math.log10(v)); return v >= 5 * p ? 5 * p : v >= 2 * p ? 2 * p : p; };
  function logRange(u, lo, hi) {
    if (!(lo > 0)) return [1, 1000];
    hi = Math.max(hi * 1.3, lo * 10);
    return [decade(lo / 1.2), hi];
  }
  function logTicks(u, values) {
    const wide = u.scales.y.max / u.scales.y.min > 300;
    return values.map(v => { const f = v / 10 ** Math.floor(Math.log10(v) + 1e-9); return [1, ...(wide ? [] : [2, 5])].some(k => Math.abs(f - k) < .01) ? v : null; });
  }

  function build() {
    const line = (name, o) => ({ stroke: css('--' + name), width: 1.6, spanGaps: false, points: { show: true, size: 4, width: 1, fill: css('--' + name), filter: alone }, ...o });
    const linear = { range: (u, lo, hi) => [0, Math.max(1, (hi || 0) * 1.12)] };
    const counts = (u, v) => v.map(x => nf.format(x));
    for (const k in plots) plots[k].destroy();
    plots.thr = make('thr', [line('finished', { fill: css('--finished') + '22' }), line('failed'), line('retried')], axes(counts, 48), linear, rate);
    plots.lat = make('lat', ['p50', 'p95', 'p99'].map(k => line(k)), axes((u, v) => v.map(x => x == null ? '' : ms(x).replace('.0 ', ' ')), 58, logTicks), { distr: 3, range: logRange }, ms);
    const bar = k => ({ stroke: css('--' + k), fill: css('--' + k), width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [.82, 26], align: 1 }) });
    plots.code = make('code', ['c0', 'c5', 'c4', 'c3', 'c2'].map(bar), axes(counts, 48), linear, v => nf.format(Math.round(v)));
    if (last) draw(...last);
  }

  // steps returns [row, seconds], as the server's View.Steps does.
  function steps(rings, range) {
    const all = [];
    let end = range.from;
    range.rings.forEach((index, i) => {
      const { step, rows } = rings[index], finer = rings[range.rings[i + 1]];
      const next = finer ? finer.rows[0][0] - finer.step : range.to;
      for (const row of rows) if (row[0] > end && row[0] - step < next) { all.push([row, step]); end = row[0]; }
    });
    return all;
  }

  // bars adds the responses up, so that some sixty bars fill the chart.
  function bars(all, range) {
    const coarsest = Math.max(1, ...all.map(([, step]) => step)), want = Math.max(Math.floor((range.to - range.from) / 60), coarsest);
    const width = WIDTHS.find(w => w >= want && w % coarsest === 0) || WIDTHS.at(-1), sums = new Map();
    for (const [row] of all) {
      if (row.length < 2) continue;
      const at = Math.floor((row[0] - 1) / width) * width, sum = sums.get(at) || [0, 0, 0, 0, 0];
      for (let k = 0; k < 5; k++) sum[k] += row[9 + k];
      sums.set(at, sum);
    }
    const ts = [...sums.keys()].sort((a, b) => a - b);
    return { width, ts, raw: [0, 1, 2, 3, 4].map(k => ts.map(t => sums.get(t)[k])) };
  }

  function put(key, data, range, label) {
    const u = plots[key], box = document.getElementById('c-' + key), note = box.querySelector('.none');
    const any = data.slice(1).some(s => s.some(v => v));
    u.batch(() => { u.setData(data, false); u.setScale('x', { min: range.from, max: Math.max(range.to, range.from + 1) }); });
    note?.remove();
    if (!any) {
      const p = document.createElement('p');
      p.className = 'none';
      p.textContent = range.empty || { thr: 'No request has ended in this time.', lat: 'No request has finished in this time.', code: 'No status code was recorded in this time.' }[key];
      box.append(p);
      label = p.textContent;
    }
    box.setAttribute('aria-label', label);
  }

  function draw(rings, range, resumed) {
    last = [rings, range, resumed];
    marks = resumed;
    const all = steps(rings, range), ts = all.map(([row]) => row[0]);
    const perSecond = pick => all.map(([row, step]) => row.length < 2 ? null : pick(row) / step);
    const millis = pick => all.map(([row]) => row.length < 2 || !pick(row) ? null : pick(row) / 1000);
    const thr = shown.thr = LINES.thr.map(l => perSecond(l[2])), lat = shown.lat = LINES.lat.map(l => millis(l[2]));
    const now = (lines, format) => LINES[lines].map((l, i) => `${l[1]} ${shown[lines][i].length ? format(shown[lines][i].at(-1)) : '–'}`).join(', ');
    put('thr', [ts, ...thr], range, 'Throughput chart. Now per second: ' + now('thr', v => v == null ? '–' : rate(v)));
    put('lat', [ts, ...lat], range, 'Latency chart. Now: ' + now('lat', ms));
    const { width, ts: bt, raw } = bars(all, range);
    shown.code = raw;
    // Series are drawn in order, so the tallest running total goes first.
    const total = [];
    raw.reduce((sum, v, k) => total[k] = sum.map((n, i) => n + v[i]), bt.map(() => 0));
    put('code', [bt, ...total.reverse()], range, 'Stacked bars of responses by status class. Latest: ' + now('code', v => v == null ? '–' : nf.format(v)));
    document.getElementById('bucket').textContent = width < 60 ? width + ' s' : width < 3600 ? width / 60 + ' min' : width / 3600 + ' h';
  }

  function resize() {
    for (const k in plots) { const b = document.getElementById('c-' + k); plots[k].setSize({ width: b.clientWidth, height: b.clientHeight }); }
  }
  return { build, draw, resize, shown: key => plots[key].data[0] };
})();
