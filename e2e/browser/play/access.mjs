// axe finds nothing, in light and in dark, with all that the page can show.
export default async function ({ open, pane, accessible }) {
  for (const colorScheme of ["light", "dark"]) {
    const page = await open("ben", { colorScheme });
    const discord = pane(page, "discord"), slack = pane(page, "slack");
    await accessible(page, colorScheme + ", at first");
    await discord.say("/ltx-help");
    await discord.message("/ltx").first().waitFor();
    await slack.say("/ltx help");
    await slack.root.locator("article").first().waitFor();
    await discord.say("/ltx prompt:a fox size:16:9");
    await slack.say("/ltx a fox");
    await discord.root.locator("video").last().waitFor();
    await slack.root.locator("video").last().waitFor();
    await discord.say("hello there, `code`, **bold** and <script>alert(1)</script> https://example.com/");
    await discord.message("hello there").last().waitFor();
    await slack.say("hello @ltx there");
    await slack.say("/ltx");
    await slack.root.getByRole("dialog").waitFor();
    await discord.root.locator("summary").last().click();
    await discord.root.locator(".line").fill("/ltx prompt:a fox ");
    await discord.root.getByRole("option").first().waitFor();
    await discord.root.locator(".line").press("ArrowDown");
    await accessible(page, colorScheme + ", with everything");
    await slack.root.getByRole("button", { name: "Close" }).click();
    await page.getByRole("button", { name: "Pull the bot’s plug" }).click();
    await page.locator("#ledger .down").waitFor();
    await discord.root.locator(".line").fill("");
    await discord.say("/ltx prompt:nobody hears it");
    await discord.message("The application did not respond").last().waitFor();
    await accessible(page, colorScheme + ", with the plug pulled");
    await page.getByRole("button", { name: "Start the bot again" }).click();
    await page.getByRole("button", { name: "Pull the bot’s plug" }).waitFor();
  }
}
