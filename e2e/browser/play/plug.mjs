// Things go wrong while a video is made, and it is delivered once and paid once.
export default async function ({ open, pane, check }) {
  const page = await open("ben");
  const discord = pane(page, "discord"), slack = pane(page, "slack");
  const plug = (name) => page.getByRole("button", { name }).click();

  await plug("fal’s reply is lost");
  await slack.say("/ltx a red canoe");
  await slack.message("Your video is ready").waitFor();
  check((await page.locator("#fal tbody tr").count()) === 1, "what fal did not answer is not asked for twice");
  check((await page.locator("#fal .billed b").textContent()) === "$0.13", "it is paid once");

  await discord.say("/ltx prompt:a lighthouse in a storm");
  await page.locator("#fal td", { hasText: "running" }).waitFor();
  await plug("Pull the bot’s plug");
  await page.locator("#ledger .down").waitFor();
  await slack.say("/ltx nobody hears it");
  await slack.message("dispatch_failed").or(slack.message("operation_timeout")).or(slack.message("failed with the error")).first().waitFor();
  await plug("Start the bot again");
  await discord.message("Your video is ready").waitFor();
  check((await page.locator("#fal tbody tr").count()) === 2, "after the plug nothing is asked for twice");
  check((await discord.root.locator("video").count()) === 1, "the video is there once");

  await plug("fal crashes");
  await discord.say("/ltx prompt:a crash");
  await discord.button("Try again").waitFor();
  check((await page.locator("#fal .billed b").textContent()) === "$0.25" || (await page.locator("#fal .billed b").textContent()) === "$0.26", "a failure costs nothing");
  await discord.button("Try again").click();
  await discord.message("Your video is ready").nth(1).waitFor();
}
