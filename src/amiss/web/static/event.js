// An event: boxes and curve in step with the video.
import { judge, keys, last, say, trying } from "./common.js";
import { ScoreChart } from "./chart.js";

const figures = JSON.parse(document.getElementById("figures").textContent);
const video = document.getElementById("video");
const canvas = document.getElementById("boxes");
const player = document.getElementById("player");
const begin = figures.clip_start;

// ---- boxes
const tracks = new Map();
figures.tube.at.forEach((at, index) => {
  const track = figures.tube.track[index] ?? 0;
  if (!tracks.has(track)) tracks.set(track, []);
  tracks.get(track).push({ at, box: figures.tube.xyxy[index], score: figures.tube.score[index] });
});
const reach = new Map(); // how long a box stands for: events of many boxes keep only some of them
for (const [track, boxes] of tracks) {
  boxes.sort((one, other) => one.at - other.at);
  const steps = boxes.slice(1).map((box, index) => box.at - boxes[index].at).sort((a, b) => a - b);
  reach.set(track, Math.max(1, 3 * (steps[Math.floor(steps.length / 2)] ?? 0)));
}

function boxesAt(at) {
  const found = [];
  for (const [track, boxes] of tracks) {
    let next = boxes.findIndex((box) => box.at > at);
    if (next < 0) next = boxes.length;
    const [before, after] = [boxes[next - 1], boxes[next]];
    if (before && after && after.at - before.at <= reach.get(track)) {
      const share = (at - before.at) / (after.at - before.at);
      found.push({ track, box: before.box.map((value, side) => value + share * (after.box[side] - value)) });
    } else {
      const near = [before, after].filter((box) => box && Math.abs(box.at - at) <= 0.15)[0];
      if (near) found.push({ track, ...near });
    }
  }
  return found;
}

const layers = { boxes: true, map: false };
const mapped = figures.map?.at ?? figures.peak; // the map is of one moment
const NEAR = 0.5;
const plays = () => video && !video.error;
function draw(seconds) {
  const ratio = devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (canvas.width !== Math.round(width * ratio)) Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  const scale = width / figures.size[0];
  if (layers.map && figures.map && (!plays() || Math.abs(begin + seconds - mapped) <= NEAR)) heat(pen, scale);
  if (layers.boxes) {
    for (const { box } of boxesAt(begin + seconds)) {
      const [left, top, right, bottom] = box.map((value) => value * scale);
      pen.lineWidth = 4;
      pen.strokeStyle = "rgba(0, 0, 0, .55)";
      pen.strokeRect(left, top, right - left, bottom - top);
      pen.lineWidth = 2;
      pen.strokeStyle = "#ff6a55";
      pen.strokeRect(left, top, right - left, bottom - top);
    }
  }
}

function heat(pen, scale) {
  const { box, values } = figures.map;
  const all = values.flat();
  const top = Math.max(...all, 1e-9);
  const small = new OffscreenCanvas(values[0].length, values.length);
  const inside = small.getContext("2d");
  const picture = inside.createImageData(values[0].length, values.length);
  all.forEach((value, index) => {
    const share = Math.max(value, 0) / top;
    picture.data.set([255, Math.round(210 * (1 - share)), 60, Math.round(190 * share)], 4 * index);
  });
  inside.putImageData(picture, 0, 0);
  const [left, up, right, down] = box.map((value) => value * scale);
  pen.imageSmoothingEnabled = true;
  pen.drawImage(small, left, up, right - left, down - up);
}

// ---- video
let chart;
let shownAt = 0;
function follow(seconds) {
  shownAt = seconds;
  draw(seconds);
  chart?.at(begin + seconds);
  canvas.dataset.seconds = seconds.toFixed(4);
}
function seek(at) {
  if (!video) return;
  const end = Number.isFinite(video.duration) ? video.duration : at - begin;
  video.currentTime = Math.min(Math.max(at - begin, 0), end);
}

if (video) {
  if (video.requestVideoFrameCallback) {
    const step = (_, told) => { follow(told.mediaTime); video.requestVideoFrameCallback(step); };
    video.requestVideoFrameCallback(step);
  } else {
    const step = () => { follow(video.currentTime); requestAnimationFrame(step); };
    requestAnimationFrame(step);
  }
  const missing = () => {
    player.classList.add("missing");
    document.getElementById("video-note").hidden = false;
    still();
  };
  video.addEventListener("error", missing);
  if (video.error) missing();
  const wanted = Number(new URLSearchParams(location.search).get("t"));
  const ready = () => seek(wanted || Math.max(figures.peak, begin));
  if (video.readyState) ready();
  else video.addEventListener("loadedmetadata", ready, { once: true });
} else {
  still();
}
function still() { // the picture of the worst moment
  const worst = figures.tube.score.indexOf(Math.max(...figures.tube.score));
  if (figures.tube.at.length) follow(figures.tube.at[worst] - begin);
}
new ResizeObserver(() => draw(shownAt)).observe(canvas);

for (const box of document.querySelectorAll("[data-layer]")) {
  const set = () => { layers[box.dataset.layer] = box.checked; draw(shownAt); };
  box.addEventListener("change", () => {
    set();
    if (layers.map && box.dataset.layer === "map" && plays() && Math.abs(begin + shownAt - mapped) > NEAR) seek(mapped);
  });
  set();
}

// ---- curve
const place = document.getElementById("curve");
if (place) {
  const beside = Math.max(60, figures.end - figures.start);
  chart = new ScoreChart(place, {
    camera: figures.camera, start: figures.start - beside, end: figures.end + beside, level: figures.level,
    span: [figures.start, figures.end], seek,
  });
  chart.begin().then(() => {
    if (!chart.points.at.length) document.getElementById("no-curve").hidden = false;
    follow(shownAt);
  }).catch((error) => say(`The curve cannot be shown: ${error.message}.`, true));
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => chart.zoom(Number(button.dataset.zoom)));
  }
}

// ---- judging
const state = document.getElementById("verdict");
function show(verdict) {
  state.dataset.verdict = verdict;
  state.querySelector(".badge").textContent = { normal: "normal here", right: "right", none: "not reviewed" }[verdict];
  for (const button of state.querySelectorAll("button[data-say]")) button.setAttribute("aria-pressed", button.dataset.say === verdict);
}
const say_it = trying(async (verdict) => {
  if (state.dataset.judges === undefined) return;
  await judge(figures.id, verdict);
  show(verdict);
});
const undo = trying(async () => {
  const id = last() ?? (state.dataset.verdict !== "none" ? figures.id : undefined);
  if (!id) return say("There is nothing to take back.");
  await judge(id, "none");
  if (id === figures.id) show("none");
  return undefined;
});
state.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-say]");
  if (button) say_it(button.getAttribute("aria-pressed") === "true" ? "none" : button.dataset.say);
});

const go = (id) => document.getElementById(id)?.click();
const nudge = (step) => video && seek(begin + video.currentTime + step);
keys({
  j: () => go("after"),
  k: () => go("before"),
  " ": () => video && (video.paused ? video.play().catch(() => {}) : video.pause()),
  ArrowLeft: () => nudge(-1),
  ArrowRight: () => nudge(1),
  ",": () => nudge(-0.1),
  ".": () => nudge(0.1),
  n: () => say_it("normal"),
  y: () => say_it("right"),
  u: undo,
  b: () => document.querySelector("[data-layer=boxes]")?.click(),
  m: () => document.querySelector("[data-layer=map]")?.click(),
  Escape: () => go("queue-link"),
});

document.getElementById("link")?.addEventListener("click", trying(async () => {
  const address = new URL(location.href);
  address.searchParams.set("t", (begin + shownAt).toFixed(2));
  history.replaceState(null, "", address);
  await navigator.clipboard?.writeText(address.href).catch(() => {});
  say("The address of this moment is in the address bar.");
}));
