// What is asked of every page, at every width and in both schemes. A finding is a line of text.

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

export const WIDTHS = [400, 900, 1600];
export const SCHEMES = ["light", "dark"];
const HEIGHT = 900;
/** Lines of one kind of finding that are told. */
const TOLD = 5;

const axePath = (() => {
  try {
    return createRequire(import.meta.url).resolve("axe-core/axe.min.js");
  } catch {
    return undefined;
  }
})();
const axe = axePath && existsSync(axePath) ? readFileSync(axePath, "utf8") : undefined;

/** Whether axe-core is installed. */
export const hasAxe = axe !== undefined;

// These run in the page. Each answers with an array of findings.

const open = () => document.querySelectorAll("details").forEach((one) => (one.open = true));

const tooWide = () => {
  const { scrollWidth, clientWidth } = document.documentElement;
  return scrollWidth > clientWidth ? [`the page is ${scrollWidth} pixels wide in a window of ${clientWidth}`] : [];
};

// A label of a chart that reaches beyond its picture is cut off.
const cutOff = () => {
  const found = [];
  for (const svg of document.querySelectorAll("svg[role=img]")) {
    const frame = svg.getBoundingClientRect();
    for (const text of svg.querySelectorAll("text")) {
      const box = text.getBoundingClientRect();
      const out = Math.max(frame.left - box.left, box.right - frame.right, frame.top - box.top, box.bottom - frame.bottom);
      if (out > 0.5) found.push(`a label is cut off: "${text.textContent}" in "${svg.getAttribute("aria-label")}"`);
    }
  }
  return found;
};

// Text is there if somebody can see it, or if it is said aloud instead of something that is seen.
const unseen = () => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (text === "" || parent.closest("script, style, title, .stepper, .skip, nav")) continue;
    if (!parent.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: false })) found.push(`cannot be seen: "${text.slice(0, 60)}"`);
  }
  return found;
};

const text = () => {
  const body = document.body.cloneNode(true);
  body.querySelectorAll("script, .stepper").forEach((one) => one.remove());
  return body.textContent;
};

const axeFindings = async () => {
  const { violations } = await globalThis.axe.run(document, { resultTypes: ["violations"] });
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `axe, ${id}: ${node.html.slice(0, 120)}`));
};

const call = (page, fun) => page.evaluate(`(${fun})()`);

/** Looks at a page in one way, and answers with what is wrong. */
async function look(page, url, { width, scheme }) {
  await page.looks(width, HEIGHT, scheme);
  await page.go(url);
  const found = await call(page, tooWide);
  await call(page, open);
  for (const check of [tooWide, cutOff]) found.push(...(await call(page, check)));
  await page.evaluate(axe);
  found.push(...(await call(page, axeFindings)));
  return found.concat(quiet(page, url));
}

/** It says nothing to the console, and asks for nothing but itself. */
function quiet(page, url) {
  const own = (address) => address.split("#")[0] === url;
  const requests = page.requests.filter((address) => !own(address)).map((address) => `asks for ${address.slice(0, 120)}`);
  return [...page.said.map((said) => `console: ${said}`), ...requests];
}

/** Everything is there without the script. */
async function withoutScript(browser, url) {
  const page = await browser.open({ scripts: false });
  try {
    const whole = await textOf(browser, url);
    await page.looks(900, HEIGHT, "light");
    await page.go(url);
    const found = quiet(page, url);
    await call(page, open);
    for (const check of [unseen, tooWide]) found.push(...(await call(page, check)));
    if ((await call(page, text)) !== whole) found.push("its text is not that which it has with the script");
    if (await page.evaluate("[...document.querySelectorAll('.stepper')].some((one) => one.checkVisibility())")) {
      found.push("the stepper is there, and steps nowhere");
    }
    return found.map((one) => `without the script: ${one}`);
  } finally {
    await page.close();
  }
}

async function textOf(browser, url) {
  const page = await browser.open();
  await page.go(url);
  const whole = await call(page, text);
  await page.close();
  return whole;
}

async function printed(page, url) {
  await page.go(url);
  await page.looks(700, HEIGHT, "light", "print");
  const found = [...(await call(page, unseen)), ...(await call(page, tooWide))];
  return found.map((one) => `printed: ${one}`);
}

/** Each key of the stepper leads to the row that it names. */
async function keys(page, url) {
  await page.looks(1600, HEIGHT, "light");
  await page.go(url);
  const rows = await page.evaluate("document.querySelectorAll('.walk')[0]?.querySelectorAll('.row').length ?? 0");
  if (rows < 2) return [];
  await page.evaluate("document.querySelector('.walk .lanes').focus()");
  const at = () => page.evaluate("[...document.querySelector('.walk').querySelectorAll('.row')].findIndex((row) => row.ariaCurrent === 'step')");
  const failing = await page.evaluate("[...document.querySelector('.walk').querySelectorAll('.row')].findIndex((row) => row.classList.contains('fails'))");
  const found = [];
  for (const [key, row] of [["Home", 0], ["ArrowRight", 1], ["ArrowLeft", 0], ["End", rows - 1], ["f", failing]]) {
    await page.press(key);
    const now = await at();
    if (row >= 0 && now !== row) found.push(`key ${key}: at event ${now + 1}, not ${row + 1}`);
  }
  return found.concat(quiet(page, url));
}

/** What is wider than its place is scrolled by arrow keys, and steps nowhere. */
async function scrolls(page, url) {
  await page.looks(400, HEIGHT, "light");
  await page.go(url);
  const region = "[...document.querySelectorAll('.walk [tabindex=\"0\"]')].find((one) => one.scrollWidth > one.clientWidth && getComputedStyle(one).overflowX === 'auto')";
  if (!(await page.evaluate(`${region} !== undefined`))) return [];
  const at = () => page.evaluate("[...document.querySelector('.walk').querySelectorAll('.row')].findIndex((row) => row.ariaCurrent === 'step')");
  const before = await at();
  await page.evaluate(`${region}.focus()`);
  await page.press("ArrowRight");
  await page.evaluate("new Promise((done) => setTimeout(done, 500))");
  const found = [];
  if ((await at()) !== before) found.push("ArrowRight steps where it should scroll");
  if ((await page.evaluate(`${region}.scrollLeft`)) === 0) found.push("ArrowRight does not scroll what is too wide");
  return found.concat(quiet(page, url));
}

/** Everything that is wrong with the page in a file, once each, with where it was seen. */
export async function inspect(browser, file, ways = all()) {
  const url = pathToFileURL(file).href;
  const seen = new Map();
  const add = (where, findings) => {
    for (const one of findings) seen.set(one, [...(seen.get(one) ?? []), where]);
  };
  const page = await browser.open();
  for (const way of ways) add(`${way.width} ${way.scheme}`, await look(page, url, way));
  for (const check of [printed, keys, scrolls]) add(undefined, await check(page, url));
  await page.close();
  add(undefined, await withoutScript(browser, url));
  return told(seen);
}

/** Every width in every scheme. */
export function all() {
  return WIDTHS.flatMap((width) => SCHEMES.map((scheme) => ({ width, scheme })));
}

function told(seen) {
  const kinds = new Map();
  for (const [finding, where] of seen) {
    const kind = finding.split(":")[0];
    const places = where.filter((one) => one !== undefined);
    const line = places.length ? `${finding} (at ${[...new Set(places)].join(", ")})` : finding;
    kinds.set(kind, [...(kinds.get(kind) ?? []), line]);
  }
  return [...kinds.values()].flatMap((lines) => {
    const rest = lines.length - TOLD;
    return rest > 0 ? [...lines.slice(0, TOLD), `and ${rest} more like these`] : lines;
  });
}
