// A headless Chromium, and pages in it that remember what they said and asked for.

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
// The same pixels everywhere.
const FLAGS = ["--disable-gpu", "--disable-dev-shm-usage", "--force-color-profile=srgb", "--font-render-hinting=none"];
// Longer than any page takes; what answers later hangs.
const PATIENCE_MS = 20_000;

/** The path of a browser, or undefined. `CHROMIUM` names another one. */
export function find() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const folders = (process.env.PATH ?? "").split(delimiter);
  const paths = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return paths.find((path) => existsSync(path));
}

/** Starts a browser. Without playwright-core, or where it does not start, this is an error. */
export async function launch(path) {
  const { chromium } = await import("playwright-core");
  // As root it has no sandbox; the pages are our own.
  const chromiumSandbox = process.getuid?.() !== 0;
  const browser = await chromium.launch({ executablePath: path, chromiumSandbox, args: FLAGS, timeout: PATIENCE_MS });
  return {
    /** A new page, with its own script or without, and so many pixels of the screen for one of its own. */
    async open({ scripts = true, scale = 1 } = {}) {
      const context = await browser.newContext({ javaScriptEnabled: scripts, deviceScaleFactor: scale, reducedMotion: "reduce" });
      context.setDefaultTimeout(PATIENCE_MS);
      return new Page(await context.newPage());
    },
    close: () => browser.close(),
  };
}

class Page {
  constructor(page) {
    this.page = page;
    [this.said, this.requests] = [[], []];
    page.on("console", (message) => this.said.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => this.said.push(error.message));
    page.on("request", (request) => this.requests.push(request.url()));
    page.on("dialog", (dialog) => {
      this.said.push(`a dialog opened: ${dialog.message()}`);
      return dialog.dismiss();
    });
  }

  /** Opens an address, and waits until it is there; what was said before is forgotten. */
  async go(url) {
    [this.said, this.requests] = [[], []];
    await this.page.goto(url);
  }

  /** How wide and high it is, in which scheme, on the screen or as it is printed. */
  async looks(width, height, colorScheme, media = "screen") {
    await this.page.setViewportSize({ width, height });
    await this.page.emulateMedia({ colorScheme, media });
  }

  /** The value of an expression, in the page. */
  evaluate(expression) {
    return this.page.evaluate(expression);
  }

  /** A key, pressed and released. */
  press(key) {
    return this.page.keyboard.press(key);
  }

  /** A picture of a rectangle of the page: the bytes of a PNG. */
  picture(clip) {
    return this.page.screenshot({ clip, fullPage: true, type: "png" });
  }

  close() {
    return this.page.context().close();
  }
}
