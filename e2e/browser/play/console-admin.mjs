// What the admin of a team does in the console: signs in by Slack, stops a job,
// raises a limit, and delivers a video that could not be posted. An open page shows
// what happens meanwhile.
export default async function ({ open, pane, at, signIn, check }) {
  const demo = await open("ben");
  const slack = pane(demo, "slack"), plug = (label) => demo.locator("#backstage").getByRole("button", { name: label, exact: true });

  // By Slack, which asks who it is; the console asks Slack what that person may do.
  const page = await signIn("ada", {}, "Slack");
  check((await page.locator(".who").textContent()).includes("admin"), "Slack's admin is an admin here");
  const running = page.locator(".tiles div", { hasText: "Running" }).locator("dd").first();
  check((await running.textContent()) === "0", "nothing is running");

  // The overview is kept up to date; a job is stopped on its page.
  await slack.say("/ltx one that stays-queued");
  await page.locator(".tiles div", { hasText: "Running" }).locator("dd", { hasText: "1" }).waitFor();
  check(true, "the open overview shows a new job by itself");
  await page.getByRole("region", { name: "Jobs" }).locator("tr", { hasText: "stays-queued" }).getByRole("link").click();
  await page.waitForURL(/\/jobs\/.+/);
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await page.locator("main .state.cancelled").waitFor();
  check((await page.getByRole("button", { name: "Cancel", exact: true }).count()) === 0, "the open page of the job shows how it ended, and what can be done no more");
  await slack.message("cancelled").first().waitFor();

  // Slack shuts the bot out while a video is made. It was paid for, and is delivered
  // once the bot is let in again.
  await plug("fal is slow").click();
  await slack.say("/ltx a lighthouse in a storm");
  const card = slack.message("a lighthouse in a storm");
  await card.getByRole("button", { name: "Cancel", exact: true }).waitFor();
  await plug("Slack shuts the bot out").click();
  await plug("Slack lets the bot in").waitFor();
  await page.goto(at("/jobs?q=lighthouse"));
  await page.getByRole("region", { name: "Jobs" }).locator("tbody").getByRole("link").click();
  await page.waitForURL(/\/jobs\/.+/);
  const job = page.url();
  const again = page.getByRole("button", { name: "Deliver again" });
  await again.waitFor();
  check((await page.locator("main").textContent()).includes("The bot can no longer post in this conversation."), "the open page says that the video could not be posted");
  check((await slack.root.locator("video").count()) === 0, "the video is not in the channel");
  await plug("Slack lets the bot in").click();
  await plug("Slack shuts the bot out").waitFor();
  await again.click();
  await page.locator("main .state.delivered").waitFor();
  check((await page.getByRole("region", { name: "Story" }).textContent()).includes("asked to deliver it again by slack:"), "the story tells who asked");
  await slack.root.locator("video").first().waitFor();
  check((await slack.root.locator("video").count()) === 1, "the video is in the channel, once");
  await page.goto(job);
  check((await again.count()) === 0, "what is posted is not offered again");

  // A member's limit is raised, and the member is kept from making more.
  await page.goto(at("/members"));
  await page.getByRole("region", { name: "Members" }).getByRole("link", { name: /ben/ }).click();
  await page.waitForURL(/\/members\//);
  const member = page.url();
  const order = async (name, fill) => {
    await page.goto(member);
    const form = page.locator(".forms details", { hasText: name }).first();
    await form.locator("summary").click();
    await fill(form);
    await form.getByRole("button").click();
    await page.getByText("Done: ").waitFor();
  };
  await order("Set a limit", async (form) => {
    await form.getByLabel(/^Limit/).fill("videos_per_day");
    await form.getByLabel(/^Amount/).fill("7");
  });
  await order("Give extra", async (form) => { await form.getByLabel(/^Videos/).fill("2"); });
  await page.goto(member);
  check((await page.locator(".gauges tr", { hasText: "videos_per_day" }).textContent()).includes("7"), "the limit is raised");
  await order("Block", async (form) => { await form.getByLabel(/^Reason/).fill("away"); });
  await slack.say("/ltx one more");
  await slack.message("away").first().waitFor();
  check(true, "who is blocked is told why");
}
