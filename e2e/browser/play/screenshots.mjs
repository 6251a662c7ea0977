// Pictures of the page of the demo and of each page of the console for the
// documentation. One of the console is named after its template in web/html.
export const options = { viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1 };

const small = { viewport: { width: 390, height: 760 } };
const dark = { colorScheme: "dark" };

export default async function ({ open, pane, at, browse, signIn, signInAsOperator, allowed, folder }) {
  allowed.push("404 (Not Found)"); // the picture of it
  const page = await open("ben");
  const discord = pane(page, "discord"), slack = pane(page, "slack");
  const shoot = (p, name) => p.screenshot({ path: `${folder}/${name}.png`, animations: "disabled" });
  await discord.say("/ltx prompt:a cowboy walks through a dusty town at high noon camera:dolly_in");
  await discord.message("Your video is ready").waitFor();
  await discord.video().evaluate((v) => { v.currentTime = 1.5; });
  await slack.say("/ltx a red canoe glides over a foggy lake camera:jib_up");
  await slack.root.getByText("▰").first().waitFor();
  await shoot(page, "demo");
  await slack.message("Your video is ready").waitFor();
  await slack.root.getByText("The form").click();
  await slack.root.getByRole("dialog").waitFor();
  await discord.root.locator(".line").fill("/ltx prompt:a fox camera:");
  await discord.root.getByRole("option").first().waitFor();
  await shoot(page, "demo-forms");
  const night = await open("ben", dark);
  await night.locator("#discord video").waitFor();
  await night.locator("#slack").getByRole("button", { name: "Close" }).click();
  await night.locator("#slack").getByRole("dialog").waitFor({ state: "detached" });
  await night.locator("#slack .log").evaluate((l) => { l.scrollTop = l.scrollHeight; });
  await night.waitForTimeout(300);
  await shoot(night, "demo-dark");
  const phone = await open("ben", { ...small, ...dark });
  await phone.locator("#discord video").waitFor();
  await shoot(phone, "demo-phone");

  // The console, of a team with a library in which somebody was given more, one
  // video was not made, and one is being made.
  const admin = await signIn("ada");
  const order = async (path, fields) => {
    await admin.goto(at(path));
    for (const [name, value] of Object.entries(fields)) await admin.locator(`form.order [name=${name}]`).fill(value);
    await admin.locator("form.order button").click();
    await admin.getByText("Done: ").waitFor();
  };
  await order("/library/add", { name: "film", link: "https://huggingface.co/acme/film/resolve/main/film.safetensors", note: "grain and dust" });
  await order("/library/style-add", { name: "noir", options: "camera:static", note: "black and white" });
  await discord.say("/ltx prompt:a server-error");
  await discord.button("Try again").waitFor();
  await admin.goto(at("/members"));
  const member = await admin.getByRole("region", { name: "Members" }).getByRole("link").first().getAttribute("href");
  const who = decodeURIComponent(member).match(/discord:\d+|slack:\w+:\w+/)[0];
  await order("/orders/grant", { who, videos: "5", reason: "the trailer" });
  await shoot(admin, "console-order");
  const picture = async (p, name, path, how = {}) => {
    await p.goto(at(path));
    await p.waitForFunction(() => [...document.querySelectorAll("video")].every((v) => v.readyState > 0));
    await p.waitForTimeout(300); // it is painted
    await p.screenshot({ path: `${folder}/console-${name}.png`, animations: "disabled", ...how });
  };
  await admin.setViewportSize({ width: 1280, height: 1000 });
  await discord.say("/ltx prompt:paper boats race down a rainy street");
  await page.locator("#fal td", { hasText: "running" }).waitFor();
  await picture(admin, "overview", "/");
  await admin.setViewportSize(options.viewport);
  await admin.goto(at("/jobs?state=delivered"));
  const job = await admin.getByRole("region", { name: "Jobs" }).getByRole("link").last().getAttribute("href");
  await picture(admin, "job", job.replace("/admin", ""), { fullPage: true });
  const pages = {
    jobs: "/jobs", gallery: "/gallery", usage: "/usage", members: "/members", member: member.replace("/admin", ""), team: "/team",
    library: "/library", "library-order": "/library/add", tiers: "/tiers", log: "/log", problem: "/nothing",
  };
  for (const [name, path] of Object.entries(pages)) await picture(admin, name, path);
  await picture(await signInAsOperator(), "health", "/health?examine=yes");
  await picture(await browse(at("/sign-in")), "sign-in", "/sign-in");
  await picture(await signIn("ada", dark), "dark", "/");
  await picture(await signIn("ada", small), "phone", "/jobs");
}
