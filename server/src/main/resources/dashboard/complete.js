// SPDX-License-Identifier: Apache-2.0
// What may stand where the cursor is in a policy, from its JSON Schema. Knows YAML as policies are written: blocks,
// one key a line, and maps within a line. Pure; the tests run it as it is.

/** The alternatives that a part of the schema stands for. */
function alternatives(schema, part) {
  if (part === undefined || part === true) return [];
  if (part.$ref) return alternatives(schema, part.$ref.split('/').slice(1).reduce((at, name) => at[name], schema));
  if (part.anyOf || part.oneOf) return (part.anyOf ?? part.oneOf).flatMap((one) => alternatives(schema, one));
  return [part];
}

/** What may stand below a key. */
function below(schema, parts, key) {
  return parts.flatMap((part) => (part.type === 'array' ? alternatives(schema, part.items) : [part]))
    .flatMap((part) => alternatives(schema, part.properties?.[key] ?? part.additionalProperties));
}

const indentOf = (line) => /^[\s-]*/.exec(line)[0].length;
const keyOf = (line) => /^[\s-]*([\w-]+)\s*:/.exec(line)?.[1];

/** The keys that lead to a line, the outermost first. */
function pathTo(lines, at, indent) {
  const path = [];
  let limit = indent;
  for (let i = at - 1; i >= 0 && limit > 0; i--) {
    const key = keyOf(lines[i]);
    if (key !== undefined && indentOf(lines[i]) < limit) {
      path.unshift(key);
      limit = indentOf(lines[i]);
    }
  }
  return path;
}

/**
 * Words that fit at an offset: `words`, what of one is `typed` already, and what to `insert` for it.
 */
export function suggestions(schema, text, offset) {
  const lines = text.slice(0, offset).split('\n'), line = lines[lines.length - 1];
  const path = pathTo(lines, lines.length - 1, indentOf(line));
  let rest = line.slice(indentOf(line));
  let parts = path.reduce((at, key) => below(schema, at, key), alternatives(schema, schema));
  let value = false;
  // A key of this line, then maps that are opened within it.
  for (let key = /^([\w-]+)\s*:\s*/.exec(rest); key; key = /^([\w-]+)\s*:\s*/.exec(rest)) {
    parts = below(schema, parts, key[1]);
    rest = rest.slice(key[0].length);
    value = true;
    const inner = /^\{\s*/.exec(rest);
    if (!inner) break;
    rest = rest.slice(inner[0].length);
    value = false;
    for (let done = /^[\w-]+\s*:[^,{}]*,\s*/.exec(rest); done; done = /^[\w-]+\s*:[^,{}]*,\s*/.exec(rest)) rest = rest.slice(done[0].length);
  }
  const item = /^\[(?:[^,\]]*,)*\s*/.exec(rest);
  if (value && item) {
    rest = rest.slice(item[0].length);
    parts = parts.flatMap((part) => alternatives(schema, part.items));
  }
  const flat = parts.flatMap((part) => (!value && part.type === 'array' ? alternatives(schema, part.items) : [part]));
  const words = value ? flat.flatMap((part) => part.enum ?? (part.type === 'boolean' ? ['true', 'false'] : []))
    : flat.flatMap((part) => Object.keys(part.properties ?? {}));
  const fitting = [...new Set(words.map(String))].filter((word) => word.startsWith(rest) && word !== rest);
  return { words: /^[\w-]*$/.test(rest) ? fitting : [], typed: rest, insert: (word) => (value ? word : `${word}: `) };
}
