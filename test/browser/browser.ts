/** The browser of the system; CHROMIUM names another. */
export const BROWSER_PATH = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

/** It asks nothing of anybody, and runs without a screen and as root. */
export const BROWSER_FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
