// The console works without this. With it, what is live is shown anew, and
// choosing a team is enough to go there.
"use strict";

for (const select of document.querySelectorAll("select[data-submit]")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}

document.addEventListener("submit", (e) => {
  if (e.target.method !== "post") return;
  for (const button of e.target.querySelectorAll("button")) button.disabled = true;
});
// A video is a still with a button until it is played: controls would lay a ring over
// it for as long as it loads.
for (const video of document.querySelectorAll(".still video")) {
  const button = document.createElement("button");
  button.className = "play";
  button.setAttribute("aria-label", "Play: " + video.getAttribute("aria-label"));
  video.controls = false;
  video.before(button);
  button.addEventListener("click", () => { video.play(); video.controls = true; video.focus(); });
  video.addEventListener("play", () => { video.controls = true; button.remove(); }, { once: true });
  video.addEventListener("error", () => {
    const gone = document.createElement("p");
    gone.className = "gone";
    gone.textContent = "This video cannot be played here";
    button.remove();
    video.replaceWith(gone);
  });
}

addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("form[method=post] button")) button.disabled = false;
});

// The part of the page that is live comes anew when it has changed. It is left
// alone while somebody is in it or watches a video. A page that nobody sees is not
// kept up to date: browsers have few connections.
let live = document.querySelector("[data-live]"), news = "", source = null;

function show() {
  const busy = live.contains(document.activeElement) || [...live.querySelectorAll("video")].some((v) => v.played.length > 0);
  if (!news || busy) return;
  const fresh = new DOMParser().parseFromString(news, "text/html").querySelector("div");
  news = "";
  const open = [...live.querySelectorAll("details")].map((d) => d.open);
  [...fresh.querySelectorAll("details")].forEach((d, i) => { d.open = open[i]; });
  if (fresh.isEqualNode(live)) return;
  live.replaceWith(fresh);
  live = fresh;
}

// again is what to do when the bot does not send any more: who is not signed in any
// more, or may not see the page, is told by the page itself.
async function again() {
  const reply = await fetch(location.href).catch(() => null);
  if (reply && (reply.redirected || reply.status === 403)) location.reload();
  else follow();
}

function follow() {
  if (document.hidden || source) return;
  source = new EventSource(location.href);
  source.onmessage = (e) => { news = JSON.parse(e.data); show(); };
  source.addEventListener("end", () => { source.close(); live = null; });
  source.onerror = () => {
    if (source.readyState !== EventSource.CLOSED) return; // it tries again by itself
    source = null;
    setTimeout(again, 10_000);
  };
}

if (live) {
  requestAnimationFrame(() => setTimeout(follow)); // after the first paint, which it would delay
  setInterval(() => { if (live) show(); }, 5_000);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && source && live) { source.close(); source = null; }
    else if (live) follow();
  });
}
