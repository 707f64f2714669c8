'use strict';
// Every figure comes from the server as it is to be shown. Every text reaches the
// page through textContent, for strangers have written it; nothing here builds
// HTML from strings.
const $ = id => document.getElementById(id);
const el = (tag, cls, text) => { const n = document.createElement(tag); if (cls) n.className = cls; if (text !== undefined) n.textContent = text; return n; };
const svg = (tag, at, cls) => { const n = document.createElementNS('http://www.w3.org/2000/svg', tag); for (const k in at) n.setAttribute(k, at[k]); if (cls) n.setAttribute('class', cls); return n; };

let V = null;            // the newest view
let shownView = null;    // the one on the page: older than V while paused
let rings = [];          // all rows that have come
let paused = false, range = 1, order = 'slowest';
let lost = '';           // why nothing comes

/* ---- data -------------------------------------------------------------- */
const KEEP = 800; // rows of a ring; the server has at most 300, and gaps

function take(view, whole) {
  if (whole) rings = view.rings.map(r => ({ step: r.step, rows: [] }));
  view.rings.forEach((r, i) => r.rows.forEach(row => upsert(rings[i].rows, row)));
  V = view;
  heard();
  if (!paused) render();
}

function upsert(rows, row) {
  let i = rows.length;
  while (i > 0 && rows[i - 1][0] > row[0]) i--;
  if (i > 0 && rows[i - 1][0] === row[0]) rows[i - 1] = row;
  else rows.splice(i, 0, row);
  if (rows.length > KEEP) rows.shift();
}

/* ---- figures ----------------------------------------------------------- */
function local(at, text) {
  const d = new Date(at), today = d.toDateString() === new Date().toDateString();
  const clock = d.toLocaleTimeString('en-GB') + (today ? '' : ', ' + d.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' }));
  return text.replace(/\d{4}-\d\d-\d\d [\d:]+ UTC/, clock);
}

function head(v) {
  $('name').textContent = v.name;
  document.title = (v.progress.known ? `${Math.floor(v.progress.percent)}% ` : '') + v.name;
  chip();
  $('facts').replaceChildren(...v.facts.map(f => {
    const d = el('div'), dd = el('dd', '', f.at ? local(f.at, f.text) : f.text);
    dd.title = f.at ? f.text : '';
    d.dataset.level = f.level;
    d.append(el('dt', '', f.label), dd);
    return d;
  }));
  $('prog').hidden = !v.progress.known;
  $('prog').value = v.progress.percent;
  $('prog-n').textContent = v.progress.known ? `${Math.floor(v.progress.percent)} %` : '';
  $('prog-t').textContent = v.progress.text;
  if ($('verdict').dataset.level !== v.verdict.level) $('said').textContent = v.verdict.text; // aloud only when it turns
  $('verdict').dataset.level = v.verdict.level;
  $('verdict').lastElementChild.textContent = v.verdict.text;
  $('metrics').hidden = !v.page.metrics;
  if (v.page.metrics) $('metrics').setAttribute('href', v.page.metrics);
  $('reset').hidden = !v.page.reset;
}

function chip() {
  const s = lost || (paused ? 'paused' : V ? V.state : 'connecting'), c = $('state');
  if (c.dataset.s === s) return;
  c.dataset.s = s;
  c.lastElementChild.textContent = s === 'lost' ? 'connection lost, trying again' : s !== 'ended' ? s : V && V.state !== 'running' ? V.state : 'closed by the program';
}

function spark(values, color) {
  const w = 72, h = 26, hi = Math.max(...values.map(v => v ?? 0), 1e-9), n = values.length - 1;
  let d = '', up = true;
  values.forEach((v, i) => {
    if (v === null) { up = true; return; }
    d += `${up ? 'M' : 'L'}${(i / n * w).toFixed(1)} ${(h - 2 - v / hi * (h - 4)).toFixed(1)}`;
    if (up && values[i + 1] == null) d += 'h.01'; // a step alone is a dot
    up = false;
  });
  const s = svg('svg', { viewBox: `0 0 ${w} ${h}`, 'aria-hidden': 'true' }, 'spark s-' + color);
  s.append(svg('path', { d }));
  return s;
}

function tiles(v) {
  $('tiles').replaceChildren(...v.tiles.map(t => {
    const d = el('div', 'tile'), b = el('b', '', t.value), p = el('p', '', t.text);
    if (t.unit) b.append(el('small', '', ' ' + t.unit));
    d.dataset.level = t.level || 'ok';
    p.title = t.text;
    d.append(el('h2', '', t.title), b, t.spark ? spark(t.spark, t.color) : el('span'), p);
    return d;
  }));
}

const sentence = text => el('p', 'none', text);
const list = bars => bars.map(b => `${b.label} ${nf.format(b.count)}`).join(' · ');

function bars(v) {
  const hi = Math.max(...v.retries.bars.map(b => b.count), 1);
  $('retries').replaceChildren(...v.retries.bars.map(b => {
    const li = el('li'), g = svg('svg', { viewBox: '0 0 100 16', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, 'bar');
    g.append(svg('rect', { width: 100, height: 16 }, 'z'), svg('rect', { width: b.count ? Math.max(.6, 100 * b.count / hi) : 0, height: 16 }));
    li.append(el('span', '', b.label), g, el('b', '', nf.format(b.count)), el('em', '', b.text));
    return li;
  }));
  if (v.retries.empty) { const li = el('li', 'none', v.retries.empty); $('retries').append(li); }
  $('discards').textContent = v.discards.empty || 'Discarded: ' + list(v.discards.bars);
  $('codes').textContent = v.status.empty || 'In all: ' + list(v.status.codes) + (v.status.more ? ` · ${v.status.more} more codes` : '');
}

function mix(h) {
  const parts = [h.finished, h.failed, h.discarded], sum = parts.reduce((a, b) => a + b, 0) || 1;
  const s = svg('svg', { viewBox: '0 0 100 8', preserveAspectRatio: 'none', role: 'img' }, 'mix'), title = svg('title', {});
  title.textContent = `${nf.format(h.finished)} finished, ${nf.format(h.failed)} failed, ${nf.format(h.discarded)} discarded`;
  s.append(title);
  let x = 0;
  parts.forEach((n, i) => { const w = 100 * n / sum; s.append(svg('rect', { x, width: w, height: 8 }, 'm' + i)); x += w; });
  return s;
}

function trend(values) {
  if (!values) return el('span', 'dim', '–');
  const hi = Math.max(...values, 6); // or a single error would look like an outage
  const s = svg('svg', { viewBox: `0 0 ${values.length * 3} 20`, preserveAspectRatio: 'none', 'aria-hidden': 'true' }, 'tr');
  values.forEach((n, i) => { const h = n ? Math.max(1, 20 * n / hi) : 0; s.append(svg('rect', { x: i * 3, y: 20 - h, width: 2, height: h })); });
  return s;
}

const td = (cls, ...content) => { const d = el('td', cls); d.append(...content); return d; };
const row = (...cells) => { const tr = el('tr'); tr.append(...cells); return tr; };
const code = text => { const c = el('code', '', text); c.title = text; return c; };

function table(id, rows, columns, empty) {
  if (!rows.length && empty) { const d = td('none', empty); d.colSpan = columns; rows = [row(d)]; }
  $(id).replaceChildren(...rows);
}

function tables(v) {
  $('errors-sum').textContent = v.errors.text;
  table('t-errors', v.errors.rows.map(e => {
    const tag = el('span', 'tag', e.kind), sample = el('span', '', e.sample);
    tag.dataset.k = e.kind;
    sample.title = e.sample;
    return row(td('', tag), td('msg', code(e.message), sample), td('n', nf.format(e.attempts)), td('n', nf.format(e.gaveUp)), td('', trend(e.trend)), td('n dim', e.lastText));
  }), 6, v.errors.empty);
  $('errors-more').textContent = v.errors.more ? `and ${nf.format(v.errors.more)} more ${v.errors.more === 1 ? 'group' : 'groups'}, in the JSON` : '';
  table('t-hosts', v.hosts[order].map(i => v.hosts.rows[i]).map(h => {
    const total = h.finished + h.failed;
    return row(td('msg', code(h.host), el('span', '', `${nf.format(total)} ${total === 1 ? 'request' : 'requests'}, ${nf.format(h.failed)} failed`)), td('', mix(h)),
      td('n' + (h.failedPercent >= 5 ? ' hot' : ''), h.failedText), td('n', h.p50), td('n', h.p95));
  }), 5, v.hosts.empty);
  $('hosts-more').textContent = v.hosts.text || '';
  $('workers').hidden = !v.members.fleet;
  $('workers-sum').textContent = v.members.text;
  table('t-workers', v.members.rows.map(m => {
    const tag = el('span', 'tag', m.state);
    tag.dataset.level = m.level;
    return row(td('', code(m.name || '(one process)')), td('', tag), td('n dim', m.age), td('msg', code(m.error || '')));
  }), 4, v.members.empty);
  $('workers-more').textContent = v.members.more ? `and ${nf.format(v.members.more)} more` : '';
}

function render() {
  if (!V) return;
  shownView = V;
  head(V);
  tiles(V);
  bars(V);
  tables(V);
  charts.draw(rings, V.ranges[range], V.marks);
}

/* ---- controls ---------------------------------------------------------- */
function choose(group, pick) {
  $(group).addEventListener('click', e => {
    const b = e.target.closest('button');
    if (!b) return;
    for (const other of $(group).children) other.setAttribute('aria-pressed', String(other === b));
    pick(b);
  });
}
choose('range', b => { range = +b.dataset.r; if (shownView) charts.draw(rings, shownView.ranges[range], shownView.marks); });
choose('order', b => { order = b.dataset.k; if (shownView) tables(shownView); });

$('pause').addEventListener('click', () => {
  paused = !paused;
  $('pause').setAttribute('aria-pressed', String(paused));
  if (paused) chip(); else render();
});

const dark = matchMedia('(prefers-color-scheme: dark)');
const isDark = () => (document.documentElement.dataset.theme || (dark.matches ? 'dark' : 'light')) === 'dark';
function themed() {
  $('theme').textContent = isDark() ? 'Light theme' : 'Dark theme';
  charts.build();
}
$('theme').addEventListener('click', () => {
  const theme = document.documentElement.dataset.theme = isDark() ? 'light' : 'dark';
  try { localStorage.setItem('crawlstats-theme', theme); } catch { /* forbidden: it lasts as long as the page */ }
  themed();
});
dark.addEventListener('change', themed);

// The first press asks, the second within five seconds does it.
let sure = 0;
$('reset').addEventListener('click', async () => {
  if (!sure) {
    sure = setTimeout(() => { sure = 0; $('reset').textContent = 'Reset …'; }, 5000);
    $('reset').textContent = 'Put everything back to zero?';
    return;
  }
  clearTimeout(sure);
  sure = 0;
  $('reset').textContent = 'Reset …';
  let said = 'The server did not answer.';
  try { const r = await fetch('api/v1/reset', { method: 'POST' }); said = r.ok ? 'Everything is back to zero.' : await r.text(); } catch { /* said */ }
  $('reset-said').textContent = said;
});

new ResizeObserver(() => charts.resize()).observe(document.querySelector('main'));

/* ---- feed -------------------------------------------------------------- */
// While the tab is hidden there is none: a browser opens six connections to a
// host, and idle tabs would take them all.
let feed = null, poll = 0, again = 0, silence = 0;

function heard() {
  lost = '';
  chip(); // render says it too, but not while the page is paused
  clearTimeout(silence);
  silence = setTimeout(gone, 3 * V.page.everyMillis + 5000);
}
function gone() { lost ||= 'lost'; chip(); }

function open() {
  if (feed || document.hidden) return;
  feed = new EventSource('api/v1/feed');
  feed.addEventListener('snapshot', e => { stopPolling(); take(JSON.parse(e.data), true); });
  feed.addEventListener('tick', e => take(JSON.parse(e.data), false));
  feed.addEventListener('end', () => { lost = 'ended'; chip(); }); // it asks again all the same: a new one may come
  feed.addEventListener('error', () => {
    if (feed.readyState !== EventSource.CLOSED) { gone(); return; } // it tries again by itself
    close(); // refused: too many feeds, or something between that does not pass them on
    again = setTimeout(open, 30000);
    if (!poll) { ask(); poll = setInterval(ask, 2000); }
  });
}
function close() { feed?.close(); feed = null; clearTimeout(again); }
function stopPolling() { clearInterval(poll); poll = 0; }
async function ask() {
  try {
    const r = await fetch('api/v1/stats.json');
    if (!r.ok) throw new Error(r.status);
    take(await r.json(), true);
  } catch { gone(); }
}
document.addEventListener('visibilitychange', () => {
  if (document.hidden) { close(); stopPolling(); clearTimeout(silence); } else open();
});
themed();
open();
