// Pictures of cameras, as they are now: renewed while somebody looks, without a flicker.
import { call, say, trying } from "./common.js";
import { ScoreChart } from "./chart.js";

const every = 1000 * Number(document.querySelector("[data-every]")?.dataset.every ?? 5);
const seen = new Set();
const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) seen[entry.isIntersecting ? "add" : "delete"](entry.target);
});
for (const picture of document.querySelectorAll("img[data-now]")) watcher.observe(picture);
setInterval(() => {
  if (document.hidden) return;
  for (const picture of seen) {
    const fresh = new Image();
    fresh.addEventListener("load", () => { picture.src = fresh.src; });
    fresh.src = `${picture.dataset.now}?at=${Date.now()}`;
  }
}, every);

// ---- one camera
const panel = document.getElementById("camera");
if (panel) {
  const camera = panel.dataset.camera;
  const path = `/cameras/${encodeURIComponent(camera)}`;
  const post = (place, body) => trying(async () => {
    await call(path + place, body);
    location.reload();
  });
  for (const button of document.querySelectorAll("button[data-life]")) {
    button.addEventListener("click", post("/life", { life: button.dataset.life }));
  }
  for (const button of document.querySelectorAll("button[data-snooze]")) {
    button.addEventListener("click", post("/snooze", { hours: Number(button.dataset.snooze) }));
  }
  document.getElementById("wake")?.addEventListener("click", post("/wake", {}));

  const place = document.getElementById("curve");
  const end = Number(place.dataset.end);
  const chart = new ScoreChart(place, { camera, start: end - 7200, end, level: Number(place.dataset.level) || undefined });
  chart.begin().then(() => {
    document.getElementById("no-curve").hidden = chart.points.at.length > 0;
  }).catch((error) => say(`The curve cannot be shown: ${error.message}.`, true));
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => chart.zoom(Number(button.dataset.zoom)));
  }

  // ---- other budgets
  const tried = document.getElementById("tried");
  const slider = document.getElementById("budget");
  const found = document.getElementById("found");
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  let results = [];
  const show = () => {
    const result = results[Number(slider.value)];
    const count = result.events.length;
    const text = `${result.budget}${result.own ? " (as it is set)" : ""}: ${count} ${count === 1 ? "event" : "events"} in ${result.hours.toFixed(1)} hours, at level ${result.level.toFixed(2)}`;
    document.getElementById("budget-told").textContent = text;
    slider.setAttribute("aria-valuetext", text);
    found.replaceChildren(...result.events.slice(0, 200).map((event) => {
      const item = document.createElement("li");
      const what = document.createElement(event.page ? "a" : "span");
      if (event.page) what.href = event.page;
      what.textContent = format.format(new Date(event.start * 1000));
      const how = document.createElement("span");
      how.className = "muted";
      how.textContent = ` ${(event.end - event.start).toFixed(1)} s, height ${event.severity.toFixed(2)}${event.page ? "" : ", not kept as an event"}`;
      item.append(what, how);
      return item;
    }));
  };
  slider.addEventListener("input", show);
  document.getElementById("try").addEventListener("click", trying(async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    button.textContent = "Working it out…";
    try {
      const told = await call(`${path}/backtest?days=${document.getElementById("days").value}`);
      results = told.results;
      slider.max = results.length - 1;
      slider.value = Math.max(results.findIndex((result) => result.own), 0);
      tried.hidden = false;
      show();
    } finally {
      button.disabled = false;
      button.textContent = "Try other budgets";
    }
  }));
}
