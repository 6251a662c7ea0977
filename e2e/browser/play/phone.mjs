// On a phone the channels are tabs.
export const options = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

export default async function ({ open, pane, check, accessible, plays }) {
  const page = await open("ben");
  const wide = () => page.evaluate(() => document.documentElement.scrollWidth);
  check(await page.locator("#discord").isVisible() && await page.locator("#slack").isHidden(), "one channel is shown");
  await pane(page, "discord").say("/ltx prompt:a cowboy walks through a dusty town");
  await pane(page, "discord").message("Your video is ready").waitFor();
  await plays(pane(page, "discord").video());
  check((await wide()) <= 390, "nothing is wider than the screen");
  await accessible(page, "Discord on a phone");
  await page.getByRole("tab", { name: "Slack" }).tap();
  check(await page.locator("#slack").isVisible() && await page.locator("#discord").isHidden(), "a tab shows the other channel");
  await pane(page, "slack").say("/ltx");
  await page.locator("#slack").getByRole("dialog").waitFor();
  check((await wide()) <= 390, "nothing is wider than the screen");
  await accessible(page, "a form on a phone");
  await page.getByRole("tab", { name: "Behind it" }).tap();
  check(await page.locator("#ledger").isVisible(), "a tab shows what is behind it");
  check((await wide()) <= 390, "nothing is wider than the screen");
  await accessible(page, "behind it on a phone");
}
