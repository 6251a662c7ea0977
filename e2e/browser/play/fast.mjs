// The pages are small. How soon a browser paints depends on the machine and on what
// else it does: it is printed, with that of a line of text beside it.
export default async function ({ open, pane, at, signInAsOperator, check, allowed, url }) {
  allowed.push("404"); // a line of text has no icon
  const page = await open("ben");
  await page.waitForLoadState("load");
  await pane(page, "discord").say("/ltx prompt:a fox");
  await pane(page, "discord").message("Your video is ready").waitFor();
  const paint = async (page, address) => {
    await page.goto(address);
    return page.evaluate(() => new Promise((done) => {
      const seen = performance.getEntriesByName("first-contentful-paint")[0];
      if (seen) return done(seen.startTime);
      new PerformanceObserver((list) => list.getEntriesByName("first-contentful-paint").forEach((e) => done(e.startTime)))
        .observe({ type: "paint", buffered: true });
    }));
  };
  const ms = async (page, address) => {
    const times = [];
    for (let n = 0; n < 5; n++) times.push(await paint(page, address));
    return Math.min(...times).toFixed(0) + " ms";
  };
  const least = await ms(page, url + "/suggest?as=ben&on=slack&line=/");
  console.log(`the first paint of a line of text comes after ${least}`);

  // small is a page that a browser has just come to: what it loads, without videos.
  const small = async (page, where) => {
    const whole = await page.evaluate(() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
      .filter((e) => !/\/live|\/media\/|\.mp4|\/video\?/.test(e.name)).reduce((sum, e) => sum + e.decodedBodySize, 0));
    check(whole > 10_000 && whole < 100_000, `${where} has ${whole} bytes, less than 100,000`);
  };
  console.log(`that of the demo after ${await ms(page, url + "/?as=ben")}`);
  await page.waitForLoadState("load");
  await small(page, "the demo");
  const operator = await signInAsOperator();
  await operator.goto(at("/jobs?team=acme"));
  const jobs = operator.getByRole("region", { name: "Jobs" }).getByRole("link");
  const job = (await jobs.first().getAttribute("href")).replace("/admin", "");
  for (const path of ["/", job, ...["", "gallery", "members", "team", "library", "tiers", "log"].map((p) => `/${p}?team=acme`), "/jobs?team=acme", "/team", "/health"]) {
    console.log(`that of ${path} after ${await ms(operator, at(path))}`);
    await operator.waitForLoadState("load");
    await small(operator, path);
  }
}
