// SPDX-License-Identifier: Apache-2.0
// JSON that keeps every digit of every number. What a JavaScript number cannot hold is a Numeral, which prints as it came.

// Stands before the digits inside of strings on their way through the browser's own JSON; nobody can know it beforehand.
const MARK = `numeral:${Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join('-')}:`;
const TOKEN = /"(?:[^"\\]|\\.)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** A number of which a JavaScript number would lose digits. */
export class Numeral {
  constructor(text) { this.text = text; }

  toString() { return this.text; }

  valueOf() { return Number(this.text); }

  toJSON() { return MARK + this.text; }
}

/** The digits without zeros at either end, and the power of ten of the last one. */
function exact(text) {
  const [, sign, whole, fraction = '', power = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text) ?? [];
  if (whole === undefined) return text;
  const digits = `${whole}${fraction}`.replace(/^0+/, ''), short = digits.replace(/0+$/, '');
  return short === '' ? '0' : `${sign}${short}e${BigInt(power) - BigInt(fraction.length) + BigInt(digits.length - short.length)}`;
}

export function parse(text) {
  const marked = text.replace(TOKEN, (token) => (token[0] === '"' || exact(token) === exact(String(Number(token))) ? token : `"${MARK}${token}"`));
  return JSON.parse(marked, (_, value) => (typeof value === 'string' && value.startsWith(MARK) ? new Numeral(value.slice(MARK.length)) : value));
}

export const stringify = (value, indent) => JSON.stringify(value, null, indent)?.replaceAll(new RegExp(`"${MARK}([^"]*)"`, 'g'), '$1');
