// Everything by the keyboard: suggestions, a command, a button, a form.
export default async function ({ open, pane, check }) {
  const page = await open("ben");
  const discord = pane(page, "discord");
  const press = (...keys) => keys.reduce((before, k) => before.then(() => page.keyboard.press(k)), Promise.resolve());
  const at = () => page.evaluate(() => document.activeElement.textContent || document.activeElement.id);

  await press("Tab");
  check((await at()).includes("Go to the Discord message box"), "the first stop leads past the head of the page");
  await press("Enter", "Tab");
  await page.locator("#discord-line").focus();
  await page.keyboard.type("/lt");
  const options = discord.root.getByRole("option");
  await options.first().waitFor();
  check((await options.first().textContent()).includes("/ltx"), "commands are offered");
  await press("ArrowDown", "Enter");
  check((await page.locator("#discord-line").inputValue()) === "/ltx ", "a command that is taken stands in the line");
  await discord.root.getByRole("option", { name: /^prompt/ }).waitFor();
  await page.keyboard.type("prompt:a fox camera:dolly o");
  await discord.root.getByRole("option", { name: "Dolly out" }).waitFor();
  await press("ArrowDown", "Enter");
  check((await page.locator("#discord-line").inputValue()).includes("camera:Dolly out"), "a choice that is taken stands in the line");
  await page.keyboard.type("size:vert");
  await discord.root.getByRole("option", { name: /ertical/ }).first().waitFor();
  check(true, "the bot completes what is typed");
  await press("Escape");
  check((await options.count()) === 0 || (await options.first().isHidden()), "Escape closes the list");
  await page.locator("#discord-line").fill("/ltx prompt:a fox camera:Dolly out");
  await press("Enter");
  await discord.message("Your video is ready").waitFor();

  await discord.button("Edit").focus();
  await press("Enter");
  const dialog = discord.root.getByRole("dialog");
  await dialog.waitFor();
  check(await dialog.evaluate((d) => d.contains(document.activeElement)), "a form takes the focus");
  await press("Escape");
  await dialog.waitFor({ state: "detached" });
  check((await at()) === "discord-line", "after a form the focus is in its channel");

  await discord.root.locator("summary").last().focus();
  await press("Enter", "Tab", "Escape");
  check((await discord.root.locator("details[open]").count()) === 0, "Escape closes a menu");

  await page.getByRole("link", { name: "ada" }).focus();
  await press("Enter");
  await page.waitForURL(/as=ada/);
  check((await page.locator(".people [aria-current]").textContent()).includes("ada"), "people are changed by the keyboard");
}
