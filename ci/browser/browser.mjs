// A headless Chromium, driven through a pipe by the DevTools protocol.
//
// The protocol is JSON, a zero byte after each message: written to descriptor 3, read from 4. So nothing
// but the browser is needed, and no port is open.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const FLAGS = [
  "--headless=new", "--remote-debugging-pipe", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
  "--no-first-run", "--no-default-browser-check", "--disable-extensions", "--disable-component-update",
  "--disable-background-networking", "--disable-sync", "--force-color-profile=srgb", "--font-render-hinting=none",
];
// Longer than any page takes; what answers later hangs.
const PATIENCE_MS = 20_000;

/** The path of a browser, or undefined. `CHROMIUM` names another one. */
export function find() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const folders = (process.env.PATH ?? "").split(delimiter);
  const paths = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return paths.find((path) => existsSync(path));
}

/** Starts a browser; nothing of it is left when it is closed. */
export function launch(path) {
  const profile = mkdtempSync(join(tmpdir(), "pages-"));
  // As root it has no sandbox; the pages are our own.
  const flags = process.getuid?.() === 0 ? [...FLAGS, "--no-sandbox"] : FLAGS;
  const child = spawn(path, [...flags, `--user-data-dir=${profile}`, "about:blank"], {
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
  });
  const waiting = new Map();
  const listeners = new Map();
  let last = 0;
  let rest = "";

  child.stdio[4].setEncoding("utf8").on("data", (data) => {
    const messages = (rest + data).split("\0");
    rest = messages.pop();
    for (const text of messages) receive(JSON.parse(text));
  });
  // The browser may be gone before a message is.
  child.stdio[3].on("error", () => {});
  const gone = new Promise((resolve) => child.once("close", resolve));
  const ended = (reason) => {
    for (const { reject } of waiting.values()) reject(new Error(`${path}: ${reason}`));
    waiting.clear();
  };
  child.once("error", (error) => ended(error.message));
  gone.then(() => ended("the browser ended"));

  function receive(message) {
    if (message.id === undefined) {
      listeners.get(message.sessionId)?.(message.method, message.params);
      return;
    }
    const answer = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error) answer?.reject(new Error(`${answer.method}: ${message.error.message}`));
    else answer?.resolve(message.result);
  }

  function send(method, params = {}, sessionId = undefined) {
    last += 1;
    const id = last;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(id);
        reject(new Error(`${method}: no answer in ${PATIENCE_MS / 1000} s`));
      }, PATIENCE_MS);
      const done = (then) => (value) => (clearTimeout(timer), then(value));
      waiting.set(id, { method, resolve: done(resolve), reject: done(reject) });
      child.stdio[3].write(JSON.stringify({ id, method, params, sessionId }) + "\0");
    });
  }

  async function open() {
    const { targetId } = await send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page((method, params) => send(method, params, sessionId));
    listeners.set(sessionId, (method, params) => page.receive(method, params));
    for (const domain of ["Page", "Runtime", "Network", "Log"]) await page.send(`${domain}.enable`);
    return page;
  }

  async function close() {
    await send("Browser.close").catch(() => child.kill("SIGKILL"));
    await gone;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }

  return { open, close, version: () => send("Browser.getVersion") };
}

/** A page, with what it said and asked for since it was opened. */
class Page {
  constructor(send) {
    this.send = send;
    this.said = [];
    this.requests = [];
    this.loaded = () => {};
  }

  receive(method, params) {
    switch (method) {
      case "Page.loadEventFired":
        return this.loaded();
      case "Network.requestWillBeSent":
        return this.requests.push(params.request.url);
      case "Runtime.consoleAPICalled":
        return this.said.push(`console.${params.type}: ${params.args.map((one) => one.value ?? one.description).join(" ")}`);
      case "Runtime.exceptionThrown":
        return this.said.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
      case "Log.entryAdded":
        // What is verbose is about speed.
        if (params.entry.level === "verbose") return undefined;
        return this.said.push(`${params.entry.level}: ${params.entry.text}`);
      case "Page.javascriptDialogOpening":
        this.said.push(`a dialog opened: ${params.message}`);
        return this.send("Page.handleJavaScriptDialog", { accept: false });
      default:
        return undefined;
    }
  }

  /** Opens an address, and waits until it is there. */
  async go(url) {
    [this.said, this.requests] = [[], []];
    const loaded = new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${url}: not loaded`)), PATIENCE_MS);
      this.loaded = () => (clearTimeout(timer), resolve());
    });
    const { errorText } = await this.send("Page.navigate", { url });
    if (errorText) throw new Error(`${url}: ${errorText}`);
    await loaded;
  }

  /** How wide and high it is, how many pixels of the screen are one of its own, and in which scheme. */
  async looks(width, height, scheme, scale = 1) {
    const size = { width, height, deviceScaleFactor: scale, mobile: false };
    await this.send("Emulation.setDeviceMetricsOverride", size);
    await this.send("Emulation.setEmulatedMedia", {
      features: [{ name: "prefers-color-scheme", value: scheme }, { name: "prefers-reduced-motion", value: "reduce" }],
    });
  }

  scripts(run) {
    return this.send("Emulation.setScriptExecutionDisabled", { value: !run });
  }

  /** The value of an expression, in the page. */
  async evaluate(expression) {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", {
      expression, awaitPromise: true, returnByValue: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** A key, pressed and released. */
  async press(key) {
    const text = key.length === 1 ? { text: key } : {};
    await this.send("Input.dispatchKeyEvent", { type: "keyDown", key, ...text });
    await this.send("Input.dispatchKeyEvent", { type: "keyUp", key });
  }

  /** A picture of a rectangle of the page, or of the whole page: the bytes of a PNG. */
  async picture(clip = undefined) {
    const all = { format: "png", captureBeyondViewport: true, optimizeForSpeed: false };
    const { data } = await this.send("Page.captureScreenshot", clip ? { ...all, clip: { scale: 1, ...clip } } : all);
    return Buffer.from(data, "base64");
  }

  /** The page as it is printed: the bytes of a PDF. */
  async print() {
    const { data } = await this.send("Page.printToPDF", { printBackground: false, preferCSSPageSize: true });
    return Buffer.from(data, "base64");
  }
}
