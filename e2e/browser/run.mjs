// run.mjs SCENE ADDRESS CHROMIUM [FOLDER] plays a scene on the page at an address, and in the console that
// CONSOLE and CONSOLE_TOKEN in the environment lead to. It exits with 1 and says why if the scene does not come out as it should, or if the page
// writes an error to the console, throws one, or breaks its own policy.
import { chromium } from "playwright-core";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [scene, url, executablePath, folder] = process.argv.slice(2);
const { default: play, options = {} } = await import(`./play/${scene}.mjs`);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const wrong = [];
const allowed = []; // console errors that a scene causes on purpose
const patience = Number(process.env.PATIENCE || 60_000); // for anything to appear, in ms

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"], timeout: patience });

// browse opens an address in a browser that nobody has used.
async function browse(address, more = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options, ...more });
  context.setDefaultTimeout(patience);
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (e) => console.error("policy: " + e.violatedDirective + " " + e.blockedURI));
  });
  const page = await context.newPage();
  page.on("console", (m) => {
    if (m.type() === "error" && !allowed.some((a) => m.text().includes(a))) wrong.push(`console: ${m.text()} ${m.location().url}`);
  });
  page.on("pageerror", (e) => wrong.push("script: " + e.message));
  await page.goto(address);
  return page;
}

// open opens the page as somebody.
const open = (as = "ben", more) => browse(url + "/?as=" + as, more);

// The console: at is the address of one of its pages.
const { CONSOLE, CONSOLE_TOKEN: token } = process.env;
const at = (path) => CONSOLE + path;

// signIn opens the console in a browser of its own and signs somebody in by the
// page of a platform.
async function signIn(name, more, platform = "Discord") {
  const page = await browse(at("/"), more);
  await page.getByRole("link", { name: "Sign in with " + platform }).click();
  await page.getByRole("heading", { name: "Who are you?" }).waitFor();
  await page.getByRole("link", { name: new RegExp(`^${name}\\b`) }).click(); // Slack names the workspace, too
  await page.locator(".who", { hasText: name }).waitFor();
  return page;
}

// signInAsOperator opens the console and signs in with the token.
async function signInAsOperator(more) {
  const page = await browse(at("/"), more);
  await page.getByLabel("Operator's token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.locator(".who", { hasText: "Operator" }).waitFor();
  return page;
}

// accessible fails for each rule of axe that the page breaks: for all rules, or
// for those that are named.
async function accessible(page, where, ...rules) {
  // The page's policy forbids other scripts: axe is evaluated, not loaded.
  if (!(await page.evaluate(() => !!globalThis.axe))) await page.evaluate(axe);
  // A message that fades in has its colours when it is there.
  await page.evaluate(() => Promise.allSettled(
    document.getAnimations().filter((a) => a.effect.getComputedTiming().endTime !== Infinity).map((a) => a.finished)));
  const how = { resultTypes: ["violations"], ...(rules.length && { runOnly: rules }) };
  const found = await page.evaluate((how) => globalThis.axe.run(document, how), how);
  for (const v of found.violations) {
    wrong.push(`axe, ${where}: ${v.id}: ${v.help}: ` + v.nodes.map((n) => n.target.join(" ") + " " + (n.any[0]?.message || "")).join("; "));
  }
}

function check(is, what) {
  if (!is) throw new Error("it should be so: " + what);
  console.log("ok  " + what);
}

// pane is what a person does in the channel of a platform.
function pane(page, platform) {
  const root = page.locator("#" + platform);
  return {
    root,
    say: async (text) => {
      await root.locator(".line").fill(text);
      await root.locator(".line").press("Enter");
    },
    message: (text) => root.locator("article", { hasText: text }),
    button: (label) => root.getByRole("button", { name: label, exact: true }),
    video: (n = 0) => root.locator("video").nth(n),
  };
}

// plays fails unless a video plays.
async function plays(video) {
  await video.scrollIntoViewIfNeeded();
  const seconds = await video.evaluate(async (v) => {
    v.muted = true;
    await v.play();
    const from = v.currentTime;
    await new Promise((done) => { v.ontimeupdate = () => v.currentTime > from + 0.2 && done(); });
    v.pause();
    return v.currentTime;
  });
  check(seconds > 0.2, `the video plays: it is at ${seconds.toFixed(1)} s`);
}

try {
  await play({ open, browse, at, signIn, signInAsOperator, pane, plays, check, accessible, allowed, browser, url, folder });
} catch (e) {
  wrong.push(e.stack || String(e));
}
await browser.close();
for (const w of wrong) console.error("WRONG " + w);
process.exit(wrong.length ? 1 : 0);
