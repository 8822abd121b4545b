// The queue: moving, playing, judging, all by keys as well.
import { call, judge, keys, last, say, times, trying } from "./common.js";

const list = document.getElementById("queue");
const items = () => [...list.querySelectorAll(":scope > li:not([hidden])")];
const now = () => list.querySelector(":scope > li.now");
const find = (id) => list.querySelector(`:scope > li[data-id="${CSS.escape(id)}"]`);

function select(item, focus = true) {
  if (!item) return;
  const before = now();
  if (before && before !== item) {
    before.classList.remove("now");
    still(before);
  }
  item.classList.add("now");
  if (focus) {
    item.querySelector("a.what").focus({ preventScroll: true });
    item.scrollIntoView({ block: "nearest" });
  }
}

async function move(step) {
  const all = items();
  const place = all.indexOf(now());
  if (step > 0 && place === all.length - 1) await more();
  const there = items();
  select(there[Math.min(Math.max(place + step, 0), there.length - 1)]);
}

// A thumbnail moves while it is pointed at; its video is loaded only then.
function play(item) {
  const thumb = item.querySelector(".thumb");
  if (!thumb.dataset.clip || thumb.querySelector("video")) return;
  const video = document.createElement("video");
  Object.assign(video, { src: thumb.dataset.clip, muted: true, loop: true, playsInline: true });
  video.setAttribute("aria-hidden", "true");
  video.addEventListener("error", () => video.remove());
  thumb.append(video);
  video.play().catch(() => {});
}
const still = (item) => item.querySelector(".thumb video")?.remove();
const toggle = (item) => (item?.querySelector(".thumb video") ? still(item) : item && play(item));

function show(item, verdict) {
  item.dataset.verdict = verdict;
  item.querySelector(".said").textContent = { normal: "normal here", right: "right", none: "" }[verdict];
}

function fold(item, told) {
  for (const id of told.covered) {
    const alike = find(id);
    if (alike) Object.assign(alike, { hidden: true }).dataset.by = item.dataset.id;
  }
  for (const id of told.restored) {
    const alike = find(id);
    if (!alike) continue;
    alike.hidden = false;
    delete alike.dataset.by;
    delete alike.dataset.covered;
  }
  const selected = now();
  if (selected?.hidden) {
    const all = [...list.children];
    select(all.slice(all.indexOf(selected)).find((other) => !other.hidden) ?? item);
  }
  item.querySelector(".alike").textContent = told.covered.length ? `and ${told.covered.length} alike` : "";
}

const say_of = trying(async (item, verdict) => {
  if (!item || item.dataset.judges === undefined) return;
  const before = item.dataset.verdict;
  show(item, verdict);
  if (verdict !== "none") move(1);
  try {
    fold(item, await judge(item.dataset.id, verdict));
  } catch (error) {
    show(item, before);
    throw error;
  }
  count();
});

const undo = trying(async () => {
  const selected = now();
  const id = last() ?? (selected && selected.dataset.verdict !== "none" ? selected.dataset.id : undefined);
  if (!id) return say("There is nothing to take back.");
  const item = find(id);
  if (item) {
    select(item);
    return say_of(item, "none");
  }
  await judge(id, "none");
  return count();
});

const count = trying(async () => {
  const told = await call(`/events/count${location.search}`);
  document.getElementById("waiting").textContent = told.waiting.toLocaleString();
});

let loading;
const more = trying(async () => {
  const link = document.getElementById("more");
  if (!link || loading) return loading;
  loading = (async () => {
    const answer = await fetch(link.href);
    if (!answer.ok) throw new Error("more events could not be loaded");
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = [...page.querySelectorAll("#queue > li")].filter((item) => !find(item.dataset.id));
    list.append(...fresh);
    times(list);
    const next = page.getElementById("more");
    if (next) link.href = next.getAttribute("href");
    else link.remove();
  })();
  try {
    await loading;
  } finally {
    loading = undefined;
  }
  return undefined;
});

list.addEventListener("pointerenter", (event) => {
  const thumb = event.target.closest?.(".thumb");
  if (thumb && event.pointerType === "mouse") play(thumb.closest("li"));
}, true);
list.addEventListener("pointerleave", (event) => {
  if (event.target.matches?.(".thumb")) still(event.target.closest("li"));
}, true);
list.addEventListener("focusin", (event) => select(event.target.closest("#queue > li"), false));
list.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-say]");
  if (button) say_of(button.closest("li"), button.dataset.say);
});
document.getElementById("more")?.addEventListener("click", (event) => {
  event.preventDefault();
  more();
});

keys({
  j: () => move(1),
  k: () => move(-1),
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  " ": () => toggle(now()),
  Enter: () => now()?.querySelector("a.what").click(),
  n: () => say_of(now(), "normal"),
  y: () => say_of(now(), "right"),
  u: undo,
});

if (matchMedia("(max-width: 44rem)").matches) document.getElementById("filters").open = false;

// The filter works by itself; without a script it has a button.
const filter = document.getElementById("filter");
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
filter.querySelector("[name=zone]").value = zone;
filter.querySelector("[type=submit]").classList.add("unseen");
function send() {
  for (const field of filter.elements) {
    const idle = field.name === "zone" && !filter.elements.since.value && !filter.elements.until.value;
    if (field.name && (!field.value || idle)) field.disabled = true;
  }
  filter.submit();
}
filter.addEventListener("change", send);
filter.addEventListener("submit", (event) => { event.preventDefault(); send(); });
addEventListener("pageshow", () => { for (const field of filter.elements) field.disabled = false; });

const names = document.getElementById("names");
let asking;
filter.elements.camera?.addEventListener("input", (event) => {
  if (!names) return;
  clearTimeout(asking);
  asking = setTimeout(trying(async () => {
    const told = await call(`/cameras?limit=20&like=${encodeURIComponent(event.target.value)}`);
    names.replaceChildren(...told.cameras.map((camera) => new Option(camera.name, camera.name)));
  }), 150);
});

select(items()[0], false);
