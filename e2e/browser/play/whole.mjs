// The demo as a newcomer plays it: a command, a card, a video; a picture that
// is dropped in; Again; the limit; an admin who grants more; and it works.
export default async function ({ open, pane, plays, check, accessible }) {
  const page = await open("ben");
  const discord = pane(page, "discord");

  await discord.say("/ltx prompt:a cowboy walks through a dusty town camera:dolly_in");
  await discord.message("a cowboy walks").first().waitFor();
  check(await discord.message("ben used /ltx").count() > 0, "the command is named above the card");
  await discord.message("Your video is ready").waitFor();
  await plays(discord.video());
  check((await page.locator("#guide li.done").count()) === 1, "the guide has seen the first step");

  // A picture is dropped into the channel and goes with the next line.
  await discord.root.evaluate((pane) => {
    const png = Uint8Array.from(atob("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="), (c) => c.charCodeAt(0));
    const all = new DataTransfer();
    all.items.add(new File([png], "dot.png", { type: "image/png" }));
    pane.dispatchEvent(new DragEvent("drop", { dataTransfer: all, bubbles: true, cancelable: true }));
  });
  await discord.button("Remove dot.png").waitFor();
  await discord.button("Remove dot.png").click();
  check(await discord.root.locator(".chips").isHidden(), "a file can be taken back");
  await page.locator("#discord .examples").getByRole("button", { name: "From a picture" }).click();
  await discord.message("Your video is ready").nth(1).waitFor();
  check((await page.locator("#fal td.prompt", { hasText: "the sun sets" }).count()) === 1, "fal was asked for it once");

  await discord.button("Again").last().click();
  await discord.message("Your video is ready").nth(2).waitFor();
  check((await page.locator("#guide li.done").count()) === 2, "the guide has seen the second step");

  const falJobs = await page.locator("#fal tbody tr").count();
  await discord.say("/ltx prompt:one too many");
  const refusal = discord.message("one too many").or(discord.message("3 of 3"));
  await discord.root.locator("article.only").last().waitFor();
  await refusal.first().waitFor();
  check((await page.locator("#fal tbody tr").count()) === falJobs, "fal was not asked for what the limit refuses");
  await accessible(page, "after a refusal");

  const admin = await open("ada");
  check((await admin.locator("#discord article.only").count()) === 0, "nobody else sees a refusal");
  await pane(admin, "discord").say("/ltx-admin grant who:@ben videos:5");
  await pane(admin, "discord").message("@ben gets extra").waitFor();
  check((await admin.locator("#guide li.done").count()) === 3, "the guide has seen the third step");

  await discord.say("/ltx prompt:one that the admin granted");
  await discord.message("Your video is ready").nth(3).waitFor();
  await plays(discord.video(3));

  // Who types fast loses nothing, and what is not taken comes back.
  const typed = page.locator("#slack-line");
  for (const word of ["one", "two", "three"]) {
    await typed.fill(`${word} quick line`);
    await typed.press("Enter");
  }
  for (const word of ["one", "two", "three"]) await pane(page, "slack").message(`${word} quick line`).waitFor();
  check((await typed.inputValue()) === "", "lines go one after the other");
  await discord.say("/nonsense");
  await page.locator("#discord .composer .wrong", { hasText: "no such command" }).waitFor();
  check((await page.locator("#discord-line").inputValue()) === "/nonsense", "a line that is not taken comes back");
  await page.locator("#discord-line").fill("");

  // The same person on Slack: a form, a mistake in it, and a button that asks.
  const slack = pane(page, "slack");
  await slack.say("/ltx");
  const form = slack.root.getByRole("dialog");
  await form.getByLabel("Prompt").fill("a red canoe on a foggy lake");
  await form.getByLabel("Length").fill("a thousand years");
  await form.getByRole("button", { name: "Make it" }).click();
  await form.locator(".field .wrong").waitFor();
  check((await form.getByLabel("Prompt").inputValue()) === "a red canoe on a foggy lake", "what was typed stays when a form has a mistake");
  await form.getByLabel("Length").fill("5");
  await form.getByRole("button", { name: "Make it" }).click();
  await form.waitFor({ state: "detached" });
  await slack.message("Your video is ready").waitFor();
  await plays(slack.video());
  page.once("dialog", (d) => d.accept());
  await slack.button("Delete").click();
  await slack.root.locator("video").waitFor({ state: "detached" });
  check(true, "Delete takes the video away");

  const size = (await (await page.request.get(page.url())).text()).length;
  check(size < 100_000, `the page with all that has ${size} bytes, less than 100,000`);

  // A menu, and the form of Discord.
  await discord.root.locator("summary", { hasText: "Go on from this video" }).last().click();
  await discord.root.locator("details[open] .options button").first().click();
  const next = discord.root.getByRole("dialog");
  await next.getByRole("button", { name: "Cancel" }).click();
  await next.waitFor({ state: "detached" });
  await discord.button("Edit").last().click();
  await next.getByLabel("Prompt").waitFor();
  check((await next.getByLabel("Prompt").inputValue()) === "one that the admin granted", "Edit begins with what was asked for");
  await next.getByRole("button", { name: "Cancel" }).click();
  await next.waitFor({ state: "detached" });
}
