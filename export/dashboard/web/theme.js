// Runs before the first paint, so that a stored choice does not flash the other theme.
try { const t = localStorage.getItem('crawlstats-theme'); if (t) document.documentElement.dataset.theme = t; } catch { /* forbidden */ }
