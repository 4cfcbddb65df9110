// pages.mjs FILE...: opens each page in a headless Chromium, and tells what is wrong with it.
//
// Exit status: 0 nothing, 1 something, 4 if there is nothing to look with.

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { find, launch } from "./browser.mjs";
import { all, hasAxe, inspect } from "./checks.mjs";

const LARGEST = 2_000_000;
/** Enough for a page that differs from another one in its texts only. */
const EXTREMES = [{ width: 400, scheme: "light" }, { width: 1600, scheme: "dark" }];

/** Defects, and what has to be said about each: a check that never finds anything is worth nothing. */
const DEFECTS = [
  ["<img src=\"http://pages.invalid/a.png\" alt=\"\">", /^(asks for|console: ).*pages.invalid/],
  ["<img src=\"missing.png\" alt=\"\">", /^(asks for|console: ).*missing.png/],
  ["<script>throw new Error(1)</script>", /^console: .*inline script/],
  ["<p style=\"color: #999; background: #aaa\">pale</p>", /^axe, color-contrast: /],
  ["<button type=\"button\"></button>", /^axe, button-name: /],
  ["<p style=\"width: 3000px\">wide</p>", /^the page is \d+ pixels wide/],
  ["<p hidden>only the script could show it</p>", /^without the script: cannot be seen: "only the script/],
  ["<p style=\"content-visibility: hidden\"><b>folded</b></p>", /^printed: cannot be seen: "folded/],
  ["<svg role=\"img\" aria-label=\"a\" width=\"50\" height=\"50\"><text x=\"40\" y=\"20\">a long label</text></svg>", /^a label is cut off/],
];

async function main(files) {
  const path = find();
  const missing = [[files.length === 0, "no page was given"], [path === undefined, "no Chromium"], [!hasAxe, "no axe-core"]];
  const reasons = missing.filter(([is]) => is).map(([, reason]) => reason);
  if (reasons.length) return nothing(reasons.join(", "));
  let browser;
  try {
    browser = await launch(path);
  } catch (error) {
    return nothing(error.message.split("\n")[0]);
  }
  try {
    const blind = await defects(browser, files[0]);
    let found = blind.length;
    for (const line of blind) console.log(line);
    for (const file of files) {
      const size = statSync(file).size;
      const findings = await inspect(browser, file, file.includes("/hostile-") ? EXTREMES : all());
      if (size > LARGEST) findings.push(`it has ${size} bytes`);
      console.log(`${file}: ${size} bytes, ${findings.length || "no"} finding${findings.length === 1 ? "" : "s"}`);
      for (const line of findings) console.log(`  ${line}`);
      found += findings.length;
    }
    return found ? 1 : 0;
  } finally {
    await browser.close();
  }
}

function nothing(reason) {
  console.error(`nothing was looked at: ${reason}`);
  return 4;
}

/** A page with all defects is looked at: which of them are not seen. */
async function defects(browser, file) {
  const dir = mkdtempSync(join(tmpdir(), "pages-"));
  const broken = join(dir, "broken.html");
  const together = DEFECTS.map(([defect]) => defect).join("\n");
  writeFileSync(broken, readFileSync(file, "utf8").replace("</main>", () => `${together}</main>`));
  const findings = await inspect(browser, broken, [{ width: 900, scheme: "light" }]);
  rmSync(dir, { recursive: true, force: true });
  const blind = DEFECTS.filter(([, expected]) => !findings.some((one) => expected.test(one)));
  return blind.map(([defect]) => `the checks do not see ${defect}`);
}

process.exitCode = await main(process.argv.slice(2));
