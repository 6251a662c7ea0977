// Every page of the console: axe finds nothing in light and in dark, and on a
// phone nothing has to be pushed sideways.
const desktop = { width: 1440, height: 900 }, phone = { width: 390, height: 844 };
const smallest = 11; // of a line of text, in px

export default async function ({ open, pane, browse, at, signIn, signInAsOperator, accessible, check, allowed }) {
  const demo = await open("ben");
  const discord = pane(demo, "discord");
  await discord.say("/ltx prompt:a red canoe glides over a foggy lake while the sun comes up camera:jib_up");
  await discord.message("Your video is ready").waitFor();
  await discord.say("/ltx prompt:a server-error");
  await pane(demo, "slack").say("/ltx an_unbroken_word_that_is_longer_than_the_screen_of_a_phone_can_be_wide_however_it_is_held");
  await pane(demo, "slack").message("Your video is ready").waitFor();
  await discord.button("Try again").waitFor();
  await discord.say("/ltx prompt:one that stays-queued");
  await discord.button("Cancel").waitFor();

  // look looks at a page in both schemes, which differ in colours alone, and on a
  // phone.
  async function look(page, where) {
    await page.evaluate(() => { for (const d of document.querySelectorAll("main details")) d.open = true; });
    await accessible(page, where + ", light");
    await page.emulateMedia({ colorScheme: "dark" });
    await accessible(page, where + ", dark", "color-contrast");
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize(phone);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    check(wide <= phone.width, `${where}: ${wide} px wide on a screen of ${phone.width}`);
    for (const text of await page.locator(".chart text").all()) {
      const { height } = await text.boundingBox();
      if (height < smallest) throw new Error(`${where}: a text of the chart is ${height.toFixed(1)} px high on a phone`);
    }
    await page.setViewportSize(desktop);
  }

  async function lookAt(page, ...paths) {
    for (const path of paths) {
      await page.goto(at(path));
      await look(page, path);
    }
  }

  // order sends the form of an order, and stays at what came of it.
  async function order(page, path, fields) {
    await page.goto(at(path));
    for (const [name, value] of Object.entries(fields)) await page.locator(`form.order [name=${name}]`).fill(value);
    await page.locator("form.order button").click();
    await page.getByText("Done: ").waitFor();
  }

  allowed.push("401 (Unauthorized)", "404 (Not Found)");
  const stranger = await browse(at("/sign-in"));
  await stranger.getByLabel("Operator's token").fill("this is not the token");
  await stranger.getByRole("button", { name: "Sign in" }).click();
  await stranger.getByRole("alert").waitFor();
  await look(stranger, "/sign-in");

  const admin = await signIn("ada");
  await admin.goto(at("/jobs"));
  const jobs = admin.getByRole("region", { name: "Jobs" });
  const link = async (list) => new URL(await list.getByRole("link").first().getAttribute("href"), admin.url()).href.replace(at(""), "");
  const made = await link(jobs.locator("tr", { hasText: "red canoe" }));
  const failed = await link(jobs.locator("tr", { hasText: "server-error" }));
  const waiting = await link(jobs.locator("tr", { hasText: "stays-queued" }));
  await admin.goto(at("/members"));
  const member = await link(admin.getByRole("region", { name: "Members" }));
  const ben = member.match(/discord:\d+|slack:\w+:\w+/)[0];

  await order(admin, "/orders/grant", { who: ben, videos: "5", reason: "for the trailer" });
  await look(admin, "an order that is carried out");
  await order(admin, "/orders/set", { who: ben, limit: "videos_per_week", amount: "10" });
  await order(admin, "/orders/block", { member: ben, reason: "away" });
  await order(admin, "/orders/pause", { reason: "a holiday" });
  await order(admin, "/library/add", { name: "film", link: "https://huggingface.co/acme/film/resolve/main/film.safetensors", note: "grain and dust" });
  await lookAt(admin, "/", "/jobs", made, failed, "/gallery", "/usage", "/members", member, "/team", "/library", "/library/add", "/tiers", "/log", "/orders/grant", "/nothing");

  const operator = await signInAsOperator();
  await lookAt(operator, "/", waiting, "/team", "/health?examine=yes");
}
