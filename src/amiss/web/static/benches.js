// Curves of results over each other.
import { axis, colour, plain, settings } from "./chart.js";

/* global Plotly */

const curves = JSON.parse(document.getElementById("curves").textContent);
const dashes = ["solid", "solid", "dash", "dot"];
const colours = ["row-1", "row-2", "row-3", "row-4"];
function draw() {
  for (const place of document.querySelectorAll(".chart[data-clip]")) {
    const lines = curves[place.dataset.clip].map((line, index) => ({
      x: line.x, y: line.y, name: line.name, type: "scatter", mode: "lines", hovertemplate: "%{y:.2f}<extra>%{fullData.name}</extra>",
      line: { color: colour(colours[index % 4]), dash: dashes[Math.floor(index / 4) % 4], width: 1.5 },
    }));
    const layout = {
      ...plain(), hovermode: "x unified", dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
      xaxis: { ...axis(), showgrid: false }, yaxis: { ...axis(), range: [-0.02, 1.05], fixedrange: true, nticks: 3 },
    };
    Plotly.react(place, lines, layout, { ...settings, doubleClick: "reset" });
  }
}
draw();
document.addEventListener("theme", draw);
