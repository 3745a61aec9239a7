// Keeps a page fresh: the page itself is whole without this.
"use strict";

const main = () => document.getElementById("main");
const byId = (id) => document.getElementById(id);

// Times, in the words that the server uses.

let ahead = 0; // How much the server's clock is ahead of this one.

function span(seconds) {
  const minutes = Math.floor(seconds / 60), hours = Math.floor(seconds / 3600), days = Math.floor(seconds / 86400);
  const two = (large, unit, small, smallUnit) => `${large} ${unit}` + (small ? ` ${small} ${smallUnit}` : "");
  if (!minutes) return `${seconds} s`;
  if (!hours) return `${minutes} min`;
  if (!days) return two(hours, "h", minutes % 60, "min");
  return two(days, "d", hours % 24, "h");
}

function tick() {
  const now = Date.now() + ahead;
  let isOver = false;
  for (const time of document.querySelectorAll("time[data-ago], time[data-left]")) {
    const at = Date.parse(time.dateTime);
    const seconds = Math.floor(Math.abs(now - at) / 1000);
    let text;
    if ("ago" in time.dataset) {
      text = now - at < 5000 ? "just now" : `${span(seconds)} ago`;
    } else {
      isOver ||= at <= now;
      text = at <= now ? "no time left" : `${span(seconds)} left`;
      time.classList.toggle("soon", at - now < 300000);
    }
    if (time.textContent !== text) time.textContent = text;
  }
  if (isOver) refresh();
}

function readClock() {
  const now = Date.parse(main().dataset.now);
  if (now) ahead = now - Date.now();
}

// Freshness: what is typed, open, focused and scrolled to stays.

let refreshing = false, wanted = false, lastRefresh = 0;

// Nothing moves away under a finger.
let isPressed = false;
addEventListener("pointerdown", () => { isPressed = true; });
for (const end of ["pointerup", "pointercancel"]) {
  addEventListener(end, () => {
    isPressed = false;
    // After the click that this may be.
    setTimeout(() => { if (wanted) { wanted = false; refresh(); } }, 100);
  });
}

async function refresh() {
  if (refreshing) { wanted = true; return; }
  if (Date.now() - lastRefresh < 500) { setTimeout(refresh, 500); return; }
  refreshing = true;
  try {
    const response = await fetch(location.href, { headers: { "aegize-live": "1" } });
    if (response.redirected) { location.reload(); return; }
    if (isPressed) { wanted = true; return; }
    if (response.ok) swap(new DOMParser().parseFromString(await response.text(), "text/html"));
  } catch {
    // The stream of events tells that the server is away, and when it is back.
  } finally {
    refreshing = false;
    lastRefresh = Date.now();
    if (wanted && !isPressed) { wanted = false; refresh(); }
  }
}

// What of a part does not change by itself.
function shape(part) {
  const copy = part.cloneNode(true);
  for (const time of copy.querySelectorAll("time")) { time.textContent = ""; time.removeAttribute("class"); }
  for (const details of copy.querySelectorAll("details")) details.open = false;
  for (const entry of copy.querySelectorAll(".entry.new")) entry.classList.remove("new");
  return copy.innerHTML;
}

function swap(page) {
  const next = page.getElementById("main"), old = main();
  if (!next) return;
  document.title = page.title;
  const places = document.querySelector("header.top nav"), now = page.querySelector("header.top nav");
  if (places && now && shape(places) !== shape(now)) places.replaceWith(document.adoptNode(now));
  old.dataset.news = next.dataset.news;
  if (shape(old) === shape(next)) return;
  const focused = document.activeElement, scroll = [scrollX, scrollY];
  for (const field of old.querySelectorAll("form[id] [name]:not([type=hidden])")) {
    const other = next.querySelector(`form#${field.form.id} [name="${field.name}"]`);
    if (other) other.replaceWith(field);
  }
  const details = (root) => [...root.querySelectorAll("details")];
  details(old).forEach((was, index) => {
    const is = details(next)[index];
    if (is) is.open = was.open;
  });
  const known = new Set([...old.querySelectorAll("[data-id]")].map((entry) => entry.dataset.id));
  const isLive = old.dataset.news !== undefined;
  for (const entry of next.querySelectorAll("[data-id]")) {
    if (isLive && !known.has(entry.dataset.id)) entry.classList.add("new");
  }
  const said = old.dataset.says, says = next.dataset.says;
  old.replaceWith(document.adoptNode(next));
  if (focused && focused !== document.body) {
    const again = focused.isConnected ? focused : focused.id && byId(focused.id);
    if (again) again.focus({ preventScroll: true });
    else if (!document.activeElement || document.activeElement === document.body) main().focus({ preventScroll: true });
  }
  scrollTo(...scroll);
  if (says && says !== said) byId("said").textContent = says;
  readClock();
  tick();
}

// News: one stream for the page that is seen, none for those that are not.

let stream = null;

function listen() {
  const after = main().dataset.news;
  if (stream || after === undefined || document.hidden) return;
  stream = new EventSource(`/events?after=${after}`);
  stream.onopen = () => connection("Live", false);
  stream.addEventListener("news", (event) => {
    if (event.data !== main().dataset.news) refresh();
  });
  stream.onerror = () => {
    connection("Reconnecting", true);
    if (stream.readyState === EventSource.CLOSED) { stop(); setTimeout(listen, 3000); }
    // The session may have ended.
    refresh();
  };
}

function stop() {
  if (stream) stream.close();
  stream = null;
}

function connection(text, isLost) {
  const sign = byId("connection");
  if (!sign) return;
  sign.hidden = false;
  sign.textContent = text;
  sign.classList.toggle("lost", isLost);
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) { stop(); } else { refresh(); listen(); }
});
addEventListener("pagehide", stop);
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.forms) delete form.dataset.sent;
  refresh();
  listen();
});

// Keys. None decides by itself: they lead to the button that does.

function areKeysOn() {
  try { return localStorage.getItem("keys") !== "off"; } catch { return true; }
}

function move(by) {
  const links = [...document.querySelectorAll(".entry h3 a")];
  if (!links.length) return;
  const at = links.indexOf(document.activeElement);
  const next = at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + by, 0), links.length - 1);
  links[next].focus();
  links[next].scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.matches("input, textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const dialog = byId("keys");
  if (!dialog || dialog.open || (!areKeysOn() && event.key !== "?")) return;
  const focus = (id) => { const found = byId(id); if (found) { found.focus(); found.scrollIntoView({ block: "nearest" }); } };
  const keys = {
    j: () => move(1), k: () => move(-1),
    a: () => focus("approve"), r: () => focus("reason"),
    "?": () => dialog.showModal(),
  };
  const act = keys[event.key];
  if (act) { event.preventDefault(); act(); }
});

const keysOn = byId("keys-on");
if (keysOn) {
  keysOn.checked = areKeysOn();
  keysOn.addEventListener("change", () => {
    try { localStorage.setItem("keys", keysOn.checked ? "on" : "off"); } catch { /* Then for this page only. */ }
  });
}

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post") return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "1";
});

readClock();
tick();
setInterval(tick, 1000);
listen();
