// Without a script everything works by links and forms.
export const options = { javaScriptEnabled: false };

export default async function ({ open, pane, check }) {
  const page = await open("ben");
  const discord = pane(page, "discord");
  await discord.root.locator(".line").fill("/ltx prompt:a fox");
  await discord.button("Send").click();
  for (let n = 0; (await discord.message("Your video is ready").count()) === 0; n++) {
    if (n > 100) throw new Error("no video comes");
    await page.waitForTimeout(100);
    await page.goto(page.url().replace(/\/do\/.*/, "/?as=ben"));
  }
  check(true, "a line is sent and the video is on the page");
  await discord.button("Details").click();
  check((await discord.root.locator("article").count()) > 1, "a button is pressed");
  await discord.root.locator(".line").fill("/nonsense");
  await discord.button("Send").click();
  check((await page.locator(".flash").textContent()).includes("no such command"), "what goes wrong stands on the page");
  await page.getByRole("link", { name: "cleo" }).click();
  check(page.url().endsWith("as=cleo"), "people are links");
}
