// picture.mjs PAGE STEM: the telling part of a page of a failure, as STEM-light.png and STEM-dark.png.
//
// The head of the page down to why it failed, and below it the lanes. Exit status 4 without a browser.

import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { find, launch } from "./browser.mjs";
import { SCHEMES } from "./checks.mjs";

const WIDTH = 1360;
/** Left away, so that the picture is small: none of it says what failed. */
const STYLE = `
  .figures, nav, .turns, .fold, .walk .panel .keys, .brief + h4 { display: none !important; }
  body { padding-block: 1.5rem !important; }
  nav + section { margin-top: 1.5rem; }
`;

const [page, stem] = process.argv.slice(2);
const path = find();
const browser = path && (await launch(path).catch((error) => console.error(error.message.split("\n")[0])));
if (!browser) {
  console.error("no pictures: no Chromium that starts");
  process.exit(4);
}
try {
  const tab = await browser.open({ scale: 1.4 });
  for (const scheme of SCHEMES) {
    await tab.looks(WIDTH, 900, scheme);
    await tab.go(pathToFileURL(page).href);
    await tab.evaluate(`{
      const style = document.createElement("style");
      style.textContent = ${JSON.stringify(STYLE)};
      document.head.append(style);
    }`);
    const height = await tab.evaluate("Math.ceil(document.querySelector('.walk').getBoundingClientRect().bottom + scrollY) + 24");
    const png = await tab.picture({ x: 0, y: 0, width: WIDTH, height });
    writeFileSync(`${stem}-${scheme}.png`, png);
    console.log(`${stem}-${scheme}.png: ${png.length} bytes`);
  }
} finally {
  await browser.close();
}
