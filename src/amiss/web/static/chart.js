// Score curves: drawn by plotly, fetched for what is in view, exact when few enough points are.
import { call } from "./common.js";

/* global Plotly */

const probe = document.createElement("i");
probe.hidden = true;
document.body.append(probe);
export function colour(name, share = 1) {
  probe.style.color = `var(--${name})`;
  const [red, green, blue] = getComputedStyle(probe).color.match(/[\d.]+/g);
  return `rgba(${red},${green},${blue},${share})`;
}

const offset = (at) => new Date(at * 1000).getTimezoneOffset() * 60;
// Plotly knows no time zones: it is given local clocks as texts, and counts them as if they were UTC.
const counted = (at) => (at - offset(at)) * 1000;
const shown = (at) => new Date(counted(at)).toISOString().slice(0, -1);
const taken = (x) => x / 1000 + offset(x / 1000);

export const axis = () => ({
  gridcolor: colour("rule"), zerolinecolor: colour("rule"), linecolor: colour("rule"), tickfont: { color: colour("muted"), size: 11 },
});
export const plain = () => ({
  paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false, margin: { l: 34, r: 10, t: 8, b: 26 },
  font: { family: getComputedStyle(document.body).fontFamily, color: colour("ink") },
  hoverlabel: { bgcolor: colour("card"), bordercolor: colour("rule"), font: { color: colour("ink") } },
});
export const settings = { displayModeBar: false, responsive: true, doubleClick: false };

export class ScoreChart {
  // `place` holds the drawing; `given` is {camera, start, end, level, span, seek}, times in seconds since 1970.
  constructor(place, given) {
    Object.assign(this, given, { place, whole: [given.start, given.end], view: [given.start, given.end] });
    this.cursor = document.createElement("div");
    this.cursor.className = "cursor";
    this.cursor.hidden = true;
    this.points = { at: [], calibrated: [], exact: true, frames: 0 };
    let down;
    place.addEventListener("pointerdown", (event) => { down = event; }, true);
    addEventListener("pointerup", (event) => {
      if (down && Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) < 5) this.click(event);
      down = undefined;
    }, true);
    document.addEventListener("theme", () => this.draw());
  }

  async begin() {
    await this.fetch();
    this.place.addEventListener("wheel", (event) => {
      if (!event.shiftKey) return;
      event.preventDefault();
      this.zoom((event.deltaY || event.deltaX) > 0 ? 1.25 : 0.8);
    }, { passive: false });
  }

  async fetch() {
    const [start, end] = this.view;
    const beside = (end - start) / 2;
    const points = Math.round(4 * Math.max(this.place.clientWidth, 300));
    const asked = `start=${Math.max(start - beside, 0)}&end=${end + beside}&points=${points}`;
    this.points = await call(`/cameras/${encodeURIComponent(this.camera)}/curve?${asked}`);
    this.level ??= this.points.level;
    this.place.dataset.exact = this.points.exact;
    this.place.dataset.points = this.points.at.length;
    await this.draw();
  }

  shapes() {
    const band = (y0, y1, fillcolor) => ({ type: "rect", xref: "paper", x0: 0, x1: 1, y0, y1, fillcolor, line: { width: 0 }, layer: "below" });
    const found = [band(0, Math.min(2, this.level ?? 2), colour("good", 0.16))];
    if (this.level) {
      found.push({ type: "line", xref: "paper", x0: 0, x1: 1, y0: this.level, y1: this.level, line: { color: colour("accent"), width: 1.3, dash: "dash" } });
    }
    for (const [start, end] of this.span ? [this.span] : []) {
      found.push({ type: "rect", yref: "paper", x0: shown(start), x1: shown(Math.max(end, start + 0.2)), y0: 0, y1: 1, fillcolor: colour("accent", 0.13), line: { width: 0 }, layer: "below" });
    }
    return found;
  }

  async draw() {
    const { at, calibrated } = this.points;
    const x = [];
    const y = [];
    at.forEach((value, index) => { // a gap in time is a gap in the line
      if (index && value - at[index - 1] > Math.max(5, (3 * (at.at(-1) - at[0])) / at.length)) { x.push(shown(value)); y.push(null); }
      x.push(shown(value));
      y.push(calibrated[index]);
    });
    const top = Math.max(4, (this.level ?? 3) * 1.25, ...calibrated) * 1.05;
    const line = { x, y, type: "scatter", mode: "lines", line: { color: colour("curve"), width: 1.4 }, hovertemplate: "%{y:.2f}<extra>%{x|%H:%M:%S}</extra>" };
    const layout = {
      ...plain(), shapes: this.shapes(), dragmode: matchMedia("(pointer: coarse)").matches ? false : "pan", hovermode: "x",
      xaxis: { ...axis(), type: "date", range: this.view.map(shown), showgrid: false, tickformat: this.view[1] - this.view[0] < 1200 ? "%H:%M:%S" : "%H:%M" },
      yaxis: { ...axis(), range: [0, top], fixedrange: true, nticks: 5 },
    };
    await Plotly.react(this.place, [line], layout, settings);
    if (!this.cursor.isConnected) {
      this.place.append(this.cursor);
      this.place.on("plotly_relayout", () => this.moved());
    }
    this.at(this.time);
  }

  moved() {
    const range = this.place._fullLayout.xaxis.range.map((text) => taken(this.place._fullLayout.xaxis.d2c(text)));
    if (Math.abs(range[0] - this.view[0]) + Math.abs(range[1] - this.view[1]) < 1e-3) return;
    this.view = range;
    this.at(this.time);
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.fetch().catch(() => {}), 120);
  }

  zoom(factor) {
    const [start, end] = this.view;
    const middle = this.time > start && this.time < end ? this.time : (start + end) / 2;
    const range = factor ? [middle - (middle - start) * factor, middle + (end - middle) * factor] : this.whole;
    Plotly.relayout(this.place, { "xaxis.range": range.map(shown) });
  }

  at(time) {
    this.time = time;
    const across = this.place._fullLayout?.xaxis;
    if (time === undefined || !across) return;
    const left = across.c2p(counted(time));
    this.cursor.hidden = left < 0 || left > across._length;
    this.cursor.style.transform = `translateX(${across._offset + left}px)`;
  }

  click(event) {
    const across = this.place._fullLayout?.xaxis;
    const place = this.place.getBoundingClientRect();
    const left = event.clientX - place.left - (across?._offset ?? 0);
    if (across && left >= 0 && left <= across._length && event.clientY <= place.bottom && event.clientY >= place.top) {
      this.seek?.(taken(across.p2c(left)));
    }
  }
}
