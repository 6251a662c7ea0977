// A day's work in the console: the operator and an admin sign in, look at what
// was made, and give a member more videos.
export default async function ({ open, pane, browse, at, signIn, signInAsOperator, plays, check, allowed }) {
  const demo = await open("ben");
  const discord = pane(demo, "discord");
  await discord.say("/ltx prompt:a red canoe on a foggy lake");
  await discord.message("Your video is ready").waitFor();
  await discord.say("/ltx prompt:a fox in the snow");
  await discord.message("Your video is ready").nth(1).waitFor();

  // The operator, by the token; a wrong one is told.
  allowed.push("401 (Unauthorized)");
  const operator = await browse(at("/jobs"));
  const token = operator.getByLabel("Operator's token");
  await token.fill("this is not the token");
  await operator.getByRole("button", { name: "Sign in" }).click();
  check((await operator.getByRole("alert").textContent()).includes("That is not the token"), "a wrong token is told");
  await operator.close();
  const all = await signInAsOperator();
  check((await all.locator(".who").textContent()).includes("operator"), "the token signs the operator in");
  await all.getByLabel("Team").selectOption("acme");
  await all.waitForURL(/team=acme/);
  check((await all.getByLabel("Team").inputValue()) === "acme", "choosing a team is enough to go there");
  await all.getByText("Sign out").click();
  await all.getByRole("button", { name: "In this browser" }).click();
  await all.waitForURL(/sign-in/);
  await all.goto(at("/health"));
  check(all.url().includes("/sign-in?"), "who has signed out is asked to sign in");
  await all.close();

  // An admin, by Discord.
  const page = await signIn("ada");
  check((await page.locator(".who").textContent()).includes("admin"), "Discord's admin is an admin here");
  check((await page.getByRole("img", { name: /day/ }).count()) === 1, "the overview has a chart");
  const tile = (name) => page.locator(".tiles div", { hasText: name }).locator("dd").first();
  check((await tile("Done in 24 hours").textContent()) === "2", "the overview counts what was made");
  await page.getByText("The last 30 days as a table").click();
  check(await page.getByRole("region", { name: "Spending by day" }).isVisible(), "the chart is a table too");

  // Jobs: all, those with a word, those in a state.
  const rows = page.getByRole("region", { name: "Jobs" }).locator("tbody tr");
  await page.getByRole("link", { name: "Jobs", exact: true }).click();
  check((await rows.count()) === 2, "all jobs are listed");
  await page.getByLabel("Prompt or id").fill("canoe");
  await page.getByRole("button", { name: "Find" }).click();
  await page.waitForURL(/q=canoe/);
  check((await rows.count()) === 1 && (await rows.textContent()).includes("a red canoe"), "a word finds its job");
  await page.getByLabel("State").selectOption("failed");
  await page.getByRole("button", { name: "Find" }).click();
  await page.waitForURL(/state=failed/);
  check((await rows.textContent()).trim() === "None.", "a state that no job is in finds none");
  check((await page.getByLabel("Prompt or id").inputValue()) === "canoe", "the filter stays as it was");
  check((await page.getByLabel("State").locator("option:checked").textContent()) === "No video", "a state is called what the chat calls it");
  await page.getByLabel("State").selectOption("");
  await page.getByRole("button", { name: "Find" }).click();
  await rows.getByRole("link").first().click();
  await page.waitForURL(/\/jobs\/.+/);
  const story = page.getByRole("region", { name: "Story" });
  check((await story.textContent()).includes("the video was posted"), "a job tells its story");
  await plays(page.locator("video"));

  // A member gets more videos by a form, and the gauge moves.
  await page.goto(at("/members"));
  await page.getByRole("region", { name: "Members" }).getByRole("link", { name: /ben/ }).click();
  await page.waitForURL(/\/members\//);
  const member = page.url();
  const extras = page.locator("li", { hasText: "of 5 videos used" });
  check((await extras.count()) === 0, "the member has no extras");
  const grant = page.locator(".forms details", { hasText: "Give extra" }).first();
  await grant.locator("summary").click();
  await grant.getByLabel(/^Videos/).fill("5");
  await grant.getByLabel(/^Reason/).fill("the trailer");
  await grant.getByRole("button").click();
  await page.getByText("Done: Give extra").waitFor();
  await page.getByRole("link", { name: /Back to/ }).click();
  await page.waitForURL(/\/members\//);
  check((await extras.textContent()).includes("the trailer"), "the extras stand on the member's page");
  check((await page.getByRole("region", { name: "Audit log" }).textContent()).includes("the trailer"), "what was changed is recorded with its reason");

  // Beyond the limit of three, the extras are used.
  for (const n of [2, 3]) {
    await discord.say(`/ltx prompt:beyond the limit ${n}`);
    await discord.message("Your video is ready").nth(n).waitFor();
  }
  await page.goto(member);
  check((await extras.textContent()).includes("1 of 5 videos used"), "the gauge of the extras moves");
  const gauge = page.locator(".gauges tr", { hasText: "videos_per_day" });
  check((await gauge.textContent()).includes("100 %"), "the gauge of the limit is full");

  // The gallery.
  await page.goto(at("/gallery?q=fox"));
  check((await page.locator(".gallery li").count()) === 1, "the gallery finds a video by its prompt");
  const still = page.locator(".gallery video");
  check(!(await still.evaluate((v) => v.controls)), "a video of the gallery is a still");
  await page.getByRole("button", { name: /^Play: Video of job/ }).press("Enter");
  await page.waitForFunction(() => document.querySelector(".gallery video").played.length > 0);
  check(await still.evaluate((v) => v.controls && v === document.activeElement), "its button plays it, and the video has the focus");
  check((await page.getByRole("button", { name: /^Play: / }).count()) === 0, "the button is gone");
  await plays(still);

  // By the keyboard alone: from the head of the page to a form that is sent.
  await page.goto(member);
  const press = async (...keys) => { for (const key of keys) await page.keyboard.press(key); };
  const focused = () => page.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.name);
  await press("Tab");
  check((await focused()) === "Skip to the page", "the first stop leads past the head of the page");
  await press("Enter");
  for (let n = 0; !(await focused()).startsWith("Block"); n++) {
    if (n > 40) throw new Error("the form is not reached by Tab");
    await press("Tab");
  }
  await press("Enter", "Tab");
  check((await focused()) === "reason", "Tab goes from the name of a form into it");
  await page.keyboard.type("away for a month");
  await press("Tab", "Enter");
  await page.getByText("Done: Block").waitFor();
  check(true, "Enter sends the form");
  await page.goto(member);
  check((await page.locator(".notice.warn").textContent()).includes("away for a month"), "the member is blocked");

  // What a member may not open says so.
  allowed.push("403 (Forbidden)");
  const ben = await signIn("ben");
  check((await ben.getByRole("link", { name: "Members", exact: true }).count()) === 0, "a member is offered no page of admins");
  await ben.goto(at("/members"));
  check((await ben.getByRole("heading", { level: 1 }).textContent()) === "This is not for you", "a member opens no page of admins");

  // One press on the page of the demo opens the console as who one is there.
  const [tab] = await Promise.all([
    demo.context().waitForEvent("page"), demo.getByRole("link", { name: "Open the console as ben" }).click(),
  ]);
  check((await tab.locator(".who").textContent()).startsWith("ben"), "the page of the demo leads to the console, signed in");
}
