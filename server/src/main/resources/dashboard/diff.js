// SPDX-License-Identifier: Apache-2.0
// Marks what differs between two values, as DOM nodes; never as HTML, so that no value can become markup.

import { stringify } from '/ui/json.js';

export function pretty(value) {
  return value === undefined ? '(absent)' : typeof value === 'string' ? value : stringify(value, 2);
}

const tokens = (text) => text.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? [];

/** A longest common subsequence by dynamic programming; for long texts whole lines count as tokens. */
function common(a, b) {
  const rows = a.length + 1, cols = b.length + 1;
  const table = new Uint32Array(rows * cols);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      table[i * cols + j] = a[i] === b[j] ? table[(i + 1) * cols + j + 1] + 1 : Math.max(table[(i + 1) * cols + j], table[i * cols + j + 1]);
    }
  }
  const pairs = [];
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) { pairs.push([i++, j++]); } else if (table[(i + 1) * cols + j] >= table[i * cols + j + 1]) { i++; } else { j++; }
  }
  return pairs;
}

/** A <pre> that shows a value with what is new against another marked. */
export function marked(value, against) {
  const pre = document.createElement('pre');
  pre.tabIndex = 0;
  const text = pretty(value), other = pretty(against);
  if (against === undefined || text === other) {
    pre.textContent = text;
    return pre;
  }
  let a = tokens(other), b = tokens(text);
  if (a.length * b.length > 4e6) { a = other.split(/(?<=\n)/); b = text.split(/(?<=\n)/); }
  if (a.length * b.length > 4e6) { pre.textContent = text; return pre; }
  const kept = new Set(common(a, b).map(([, j]) => j));
  let run = '', fresh = false;
  const flush = () => {
    if (!run) return;
    if (fresh) { const mark = document.createElement('mark'); mark.textContent = run; pre.append(mark); } else { pre.append(run); }
    run = '';
  };
  b.forEach((token, j) => {
    const isFresh = !kept.has(j);
    if (isFresh !== fresh) { flush(); fresh = isFresh; }
    run += token;
  });
  flush();
  return pre;
}
