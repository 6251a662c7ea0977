// The page's only script. The server writes HTML; this keeps it current, sends
// forms without leaving the page, and offers what the clients offer.
"use strict";

const as = document.body.dataset.as;
const byId = (id) => document.getElementById(id);

// morph makes one node like another and keeps what is the same: a video goes on
// playing, and the focus and what somebody types stay.
function morph(from, to) {
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName || from.id !== to.id) {
    from.replaceWith(to);
    return;
  }
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return;
  }
  if (from.isEqualNode(to)) return;
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !(name === "open" && from.nodeName === "DETAILS")) from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  const wanted = [...to.childNodes];
  wanted.forEach((node, i) => {
    const there = from.childNodes[i];
    if (there) morph(there, node);
    else from.append(node);
  });
  while (from.childNodes.length > wanted.length) from.lastChild.remove();
}

function parse(html) {
  const t = document.createElement("template");
  t.innerHTML = html;
  return t.content.firstElementChild;
}

// apply does what the server says: fragments to put, and to drop.
function apply(change) {
  const logs = [...document.querySelectorAll(".log")];
  const atEnd = logs.filter((l) => l.scrollHeight - l.scrollTop - l.clientHeight < 80);
  const focused = document.activeElement;
  if (change.only) {
    const kept = new Set((change.put || []).map((p) => p.id));
    for (const m of document.querySelectorAll(".log > article")) if (!kept.has(m.id)) m.remove();
  }
  for (const id of change.drop || []) byId(id)?.remove();
  for (const p of change.put || []) {
    const fresh = parse(p.html);
    const old = byId(p.id);
    if (old) {
      morph(old, fresh);
      continue;
    }
    const before = p.after && byId(p.after);
    if (before) before.after(fresh);
    else byId(p.in)?.prepend(fresh);
  }
  tell();
  forms(focused);
  for (const l of atEnd) l.scrollTop = l.scrollHeight;
}

// A video has its size when its head is read: a log that was at its end stays there.
document.addEventListener("loadedmetadata", (e) => {
  const l = e.target.closest(".log");
  if (l && l.scrollHeight - l.scrollTop - l.clientHeight < 80 + e.target.clientHeight) l.scrollTop = l.scrollHeight;
}, true);

const opened = {}; // the dialog on each screen

// forms shows and leaves dialogs as a keyboard expects it.
function forms(focused) {
  for (const screen of document.querySelectorAll(".screen")) {
    const dialog = screen.querySelector("[role=dialog]");
    const pane = screen.closest(".client");
    for (const covered of pane.querySelectorAll(".log, .foot")) covered.inert = !!dialog;
    if (dialog && opened[screen.id] !== dialog.id) {
      opened[screen.id] = dialog.id;
      if (pane.contains(focused) || focused === document.body) dialog.querySelector("textarea, select, input:not([type=hidden]), button")?.focus();
    } else if (!dialog && opened[screen.id]) {
      delete opened[screen.id];
      if (document.activeElement === document.body) pane.querySelector(".line").focus();
    }
  }
  const veil = document.querySelector("#confirm .dialog button");
  document.querySelector("main").inert = !!veil;
  if (veil && !veil.closest(".dialog").contains(document.activeElement)) veil.focus();
}

const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
let words; // made when it is needed first: that takes a moment

// tell writes moments as they are read now.
function tell() {
  for (const t of document.querySelectorAll("time[data-ago]")) {
    const seconds = Math.round((new Date(t.dateTime) - Date.now()) / 1000);
    const [unit, size] = units.find(([, s]) => Math.abs(seconds) >= s) || units[3];
    words ||= new Intl.RelativeTimeFormat("en", { numeric: "auto" });
    const text = words.format(Math.round(seconds / size), unit);
    if (t.textContent !== text) t.textContent = text;
  }
}
setInterval(tell, 1000);

const status = byId("status");
function listen() {
  const source = new EventSource("/live?as=" + encodeURIComponent(as));
  source.onmessage = (e) => {
    status.textContent = "";
    apply(JSON.parse(e.data));
  };
  source.onerror = () => {
    status.textContent = "The demo does not answer. Is it still running?";
  };
}

// post sends what a form holds, and says beside the form why not.
async function post(form, action, body) {
  const wrong = form.querySelector(":scope > .wrong, :scope .row ~ .wrong");
  if (wrong) wrong.textContent = "";
  let trouble = "";
  try {
    const r = await fetch(action, {
      method: "POST", headers: { Accept: "text/plain" }, body: form.enctype === "multipart/form-data" ? body : new URLSearchParams(body),
    });
    trouble = await r.text(); // why not, else nothing
  } catch {
    trouble = "The demo does not answer. Is it still running?";
  }
  if (trouble && wrong) wrong.textContent = trouble;
  else status.textContent = trouble;
  return !trouble;
}

const sent = new WeakMap(); // what a form has sent: lines go one after the other

document.addEventListener("submit", async (e) => {
  e.preventDefault();
  const form = e.target, button = e.submitter;
  const isLine = form.classList.contains("composer");
  if (!isLine && form.dataset.busy || (button?.dataset.question && !confirm(button.dataset.question))) return;
  const body = new FormData(form, button);
  const action = button?.getAttribute("formaction") || form.getAttribute("action");
  if (!isLine) {
    const menu = form.closest("details");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    form.dataset.busy = "yes";
    await post(form, action, body);
    delete form.dataset.busy;
    return;
  }
  // The line is free for the next one at once. What was not taken comes back.
  const text = line(form).value, files = [...form.querySelector("[type=file]").files];
  close(form);
  asked++;
  form.reset();
  chips(form);
  const mine = (sent.get(form) || Promise.resolve()).then(() => post(form, action, body));
  sent.set(form, mine);
  if (!await mine && !line(form).value) {
    line(form).value = text;
    if (files.length) give(form, files);
  }
});

// Suggestions: the list belongs to the line above which it stands.
const line = (form) => form.querySelector(".line");
const list = (form) => form.querySelector(".suggestions");
const chosen = (form) => list(form).querySelector("[aria-selected=true]");

function close(form) {
  list(form).hidden = true;
  line(form).setAttribute("aria-expanded", "false");
  line(form).removeAttribute("aria-activedescendant");
}

function choose(form, option) {
  unchoose(form);
  option.setAttribute("aria-selected", "true");
  option.scrollIntoView({ block: "nearest" });
  line(form).setAttribute("aria-activedescendant", option.id);
}

// unchoose takes the choice back: it was made for what stood there before.
function unchoose(form) {
  chosen(form)?.setAttribute("aria-selected", "false");
  line(form).removeAttribute("aria-activedescendant");
}

function take(form, option) {
  const input = line(form);
  input.value = option.dataset.line;
  input.focus();
  input.setSelectionRange(input.value.length, input.value.length);
  close(form);
  suggest(form);
}

let asked = 0;
let soon;
async function suggest(form) {
  const input = line(form), mine = ++asked;
  if (!input.value.startsWith("/")) return close(form);
  const q = new URLSearchParams({ as, on: form.dataset.on, line: input.value });
  const html = await fetch("/suggest?" + q).then((r) => r.text(), () => "");
  if (mine !== asked || document.activeElement !== input) return;
  list(form).innerHTML = html;
  list(form).hidden = !html;
  input.setAttribute("aria-expanded", String(!!html));
  input.removeAttribute("aria-activedescendant");
}

async function suggestInForm(input) {
  const { on, form, field } = input.dataset;
  const html = await fetch("/suggest?" + new URLSearchParams({ as, on, form, field, line: input.value })).then((r) => r.text(), () => "");
  const found = document.createElement("template");
  found.innerHTML = html;
  input.list.replaceChildren(...[...found.content.children].map((o) => new Option(o.querySelector(".label").textContent, o.dataset.line)));
}

document.addEventListener("input", (e) => {
  clearTimeout(soon);
  const form = e.target.closest(".composer");
  if (form && e.target === line(form)) {
    unchoose(form);
    soon = setTimeout(suggest, 80, form);
  }
  if (e.target.list) soon = setTimeout(suggestInForm, 80, e.target);
});
document.addEventListener("focusin", (e) => {
  if (e.target.list) suggestInForm(e.target);
});
document.addEventListener("focusout", (e) => {
  const form = e.target.closest(".composer");
  if (form && e.target === line(form)) setTimeout(() => document.activeElement !== e.target && close(form), 150);
});
document.addEventListener("pointerdown", (e) => {
  const option = e.target.closest(".suggestions [role=option]");
  if (!option) return;
  e.preventDefault();
  take(option.closest(".composer"), option);
});

document.addEventListener("keydown", (e) => {
  if (e.key === "Escape") {
    const menu = e.target.closest("details[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    } else {
      e.target.closest(".dialog")?.querySelector(".close")?.click();
    }
  }
  const form = e.target.closest(".composer");
  if (!form || e.target !== line(form) || list(form).hidden) return;
  const options = [...list(form).children];
  const at = options.indexOf(chosen(form));
  if (e.key === "ArrowDown" || e.key === "ArrowUp") {
    e.preventDefault();
    const next = e.key === "ArrowDown" ? at + 1 : at < 0 ? options.length - 1 : at - 1;
    choose(form, options[(next + options.length) % options.length]);
  } else if ((e.key === "Enter" || e.key === "Tab") && at >= 0) {
    e.preventDefault();
    take(form, options[at]);
  } else if (e.key === "Escape") {
    close(form);
  }
});

// Files: chosen, dropped or pasted, they go with the next line.
function chips(form) {
  const files = [...form.querySelector("[type=file]").files];
  const shown = form.querySelector(".chips");
  shown.hidden = !files.length;
  shown.replaceChildren(...files.map((f) => {
    const item = document.createElement("li");
    const remove = document.createElement("button");
    remove.type = "button";
    remove.textContent = "Remove " + f.name;
    remove.dataset.remove = f.name;
    item.append(remove);
    return item;
  }));
}

function give(form, files) {
  const all = new DataTransfer();
  for (const f of [...form.querySelector("[type=file]").files, ...files]) all.items.add(f);
  form.querySelector("[type=file]").files = all.files;
  chips(form);
  line(form).focus();
}

document.addEventListener("change", (e) => {
  const form = e.target.closest(".composer");
  if (form && e.target.type === "file") chips(form);
});
document.addEventListener("click", (e) => {
  const name = e.target.dataset?.remove;
  if (name === undefined) return;
  const form = e.target.closest(".composer");
  const input = form.querySelector("[type=file]");
  const kept = new DataTransfer();
  for (const f of input.files) if (f.name !== name) kept.items.add(f);
  input.files = kept.files;
  chips(form);
  line(form).focus();
});
document.addEventListener("paste", (e) => {
  const form = e.target.closest(".composer");
  if (form && e.clipboardData.files.length) {
    e.preventDefault();
    give(form, e.clipboardData.files);
  }
});
for (const type of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(type, (e) => {
    const pane = e.target.closest?.(".client");
    if (!e.dataTransfer?.types.includes("Files")) return;
    e.preventDefault();
    pane?.classList.toggle("dropping", type === "dragover");
    if (pane && type === "drop") give(pane.querySelector(".composer"), e.dataTransfer.files);
  });
}

// Tabs: on a narrow screen one pane is shown at a time.
const tabs = [...document.querySelectorAll("[role=tab]")];
function show(tab) {
  for (const t of tabs) {
    t.setAttribute("aria-selected", String(t === tab));
    t.tabIndex = t === tab ? 0 : -1;
    byId(t.getAttribute("aria-controls")).toggleAttribute("data-shown", t === tab);
  }
}
tabs.forEach((tab, n) => {
  tab.addEventListener("click", () => show(tab));
  tab.addEventListener("keydown", (e) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (!step) return;
    const next = tabs[(n + step + tabs.length) % tabs.length];
    show(next);
    next.focus();
  });
});
show(tabs[0]);
document.body.classList.add("scripted");

forms(document.body);
for (const l of document.querySelectorAll(".log")) l.scrollTop = l.scrollHeight;
requestAnimationFrame(() => setTimeout(listen)); // after the first paint, which it would delay
