// What all pages share: calls, times, what was done last, keys, the theme.

const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";
export const API = meta("api");

export async function call(path, body) {
  const options = body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": meta("csrf") },
    body: JSON.stringify(body),
  };
  for (let attempt = 0; ; attempt += 1) {
    const answer = await fetch(API + path, options);
    if (answer.status === 503 && attempt < 3) { // another process holds the store for a moment
      await new Promise((done) => setTimeout(done, 1000 * Number(answer.headers.get("Retry-After") ?? 1)));
      continue;
    }
    if (answer.status === 401) location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(told.detail ?? "the server does not answer as it should");
    return told;
  }
}

let quiet;
export function say(text, wrong = false) {
  const place = document.getElementById("said");
  place.textContent = text;
  place.classList.toggle("wrong", wrong);
  place.classList.add("shown");
  clearTimeout(quiet);
  quiet = setTimeout(() => place.classList.remove("shown"), 5000);
}

export const trying = (work) => async (...given) => {
  try {
    return await work(...given);
  } catch (error) {
    say(`That did not work: ${error.message}.`, true);
    return undefined;
  }
};

// Times are those of whoever looks; the camera's own clock is told when pointed at.
const FORMS = {
  full: { dateStyle: "medium", timeStyle: "medium" },
  time: { timeStyle: "medium" },
  day: { dateStyle: "medium" },
};
export function times(within = document) {
  for (const place of within.querySelectorAll("time[data-form]")) {
    const at = new Date(place.dateTime);
    const zone = place.dataset.zone;
    place.textContent = new Intl.DateTimeFormat(undefined, FORMS[place.dataset.form]).format(at);
    const there = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long", timeZone: zone }).format(at);
    place.title = `at the camera: ${there} (${zone})`;
  }
}

// What was judged last, over pages, so that it can be undone after moving on.
const DONE = "amiss-done";
const done = () => JSON.parse(sessionStorage.getItem(DONE) ?? "[]");
export const remember = (event) => sessionStorage.setItem(DONE, JSON.stringify([...done(), event].slice(-50)));
export function last() {
  return done().at(-1);
}
export const forget = (event) => {
  const all = done();
  const place = all.lastIndexOf(event);
  if (place >= 0) all.splice(place, 1);
  sessionStorage.setItem(DONE, JSON.stringify(all));
};

const SAID = { normal: "Called normal here", right: "Called right", none: "Taken back" };
let line = Promise.resolve(); // one after the other, however fast the keys are
export async function judge(event, verdict) {
  const [note, unnote] = verdict === "none" ? [forget, remember] : [remember, forget];
  note(event);
  const sent = line.then(() => call(`/events/${encodeURIComponent(event)}/verdict`, { verdict }));
  line = sent.catch(() => unnote(event));
  const told = await sent;
  const more = told.covered.length ? `, and ${told.covered.length} alike` : "";
  const back = told.restored.length ? `; ${told.restored.length} alike wait again` : "";
  say(`${SAID[verdict]}${more}${back}.${verdict === "none" ? "" : " u takes it back."}`);
  return told;
}

// Keys: single letters, never while something is typed or a modifier is held.
export function keys(bindings) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest("input:not([type=range]):not([type=checkbox]), textarea, select, [contenteditable]")) return;
    const work = bindings[event.key];
    if (!work) return;
    if ((event.key === "Enter" || event.key === " ") && event.target.closest("button, summary, a.button")) return;
    event.preventDefault();
    work(event);
  });
}

function help() {
  const dialog = document.getElementById("help");
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

function theme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("amiss-theme", root.dataset.theme);
  document.dispatchEvent(new Event("theme"));
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.dispatchEvent(new Event("theme")));

times();
document.getElementById("theme")?.addEventListener("click", theme);
document.getElementById("show-help")?.addEventListener("click", help);
keys({ "?": help });
for (const form of document.querySelectorAll("form[data-sure]")) {
  form.addEventListener("submit", (event) => { if (!confirm(form.dataset.sure)) event.preventDefault(); });
}
