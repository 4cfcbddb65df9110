// hostile.mjs RESULT: a record in which every text and every name tries to break out of the page; to stdout.
//
// Scenarios can hold few such texts, because names are letters; a record that somebody sends can hold all.

import { readFileSync } from "node:fs";

const ATTACK = "</code></p></pre></style></title></script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
  + "<svg/onload=alert(3)><base href=//x><!--]]>&lt;\u202e\u2028\u001b[31m";
/** What has a few values only, or is no text. */
const WORDS = new Set([
  "world", "first", "seed", "kind", "clock", "operation", "outcome", "measure", "histogram", "layer", "letter", "trace_hash",
]);

function spoil(value, key) {
  if (key === "slices") return value;
  if (typeof value === "string") return WORDS.has(key) ? value : value + ATTACK;
  if (Array.isArray(value)) return value.map((one) => spoil(one, key));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, spoil(one, name)]));
}

const record = JSON.parse(readFileSync(process.argv[2], "utf8"));
const spoilt = spoil(record, "");
// These are maps, so their names are texts, too.
for (const map of ["points", "invariants", "faults", "operations_by_kind"]) {
  const counts = Object.entries(record.counts[map]);
  spoilt.counts[map] = Object.fromEntries(counts.map(([name, one]) => [name + ATTACK, one]));
}
process.stdout.write(JSON.stringify(spoilt));
