(() => {
  "use strict";
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const video = document.getElementById("video");
  const note = document.getElementById("video-note");
  const options = { displayModeBar: false, responsive: true, scrollZoom: false };
  const drawn = new Map();

  // Figures name their colours as CSS variables; plotly draws with values, so they are looked up here.
  const themed = (value) => {
    if (typeof value === "string" && value.startsWith("var(--")) {
      return getComputedStyle(document.documentElement).getPropertyValue(value.slice(4, -1)).trim();
    }
    if (Array.isArray(value)) return typeof value[0] === "object" && value[0] ? value.map(themed) : value;
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, themed(item)]));
    }
    return value;
  };

  const shapesOf = (figure) => {
    const shapes = themed(figure.layout.shapes || []);
    if (figure.now === undefined) return shapes;
    const line = { color: themed("var(--ink)"), width: 1 };
    return [...shapes, { type: "line", xref: "x", x0: figure.now, x1: figure.now, yref: "paper", y0: 0, y1: 1, line }];
  };

  const layoutOf = (figure) => {
    const font = { family: getComputedStyle(document.body).fontFamily };
    return { ...themed(figure.layout), font, shapes: shapesOf(figure) };
  };

  const draw = (chart) => {
    const figure = figures[chart.dataset.clip];
    const data = themed(figure.data).map((trace) => ({ ...trace, hovertemplate: "%{x:.1f} s<br>%{text}<extra></extra>" }));
    Plotly.react(chart, data, layoutOf(figure), options);
    if (drawn.has(chart)) return;
    drawn.set(chart, figure);
    chart.on("plotly_click", (event) => seek(figure.offset + event.points[0].x, false));
  };

  const seek = (seconds, play) => {
    if (!video) return;
    video.currentTime = seconds + 0.001;
    if (play) video.play().catch(() => {});
    const place = video.getBoundingClientRect();
    if (place.bottom < 80 || place.top > innerHeight - 80) {
      video.scrollIntoView({ block: "center" });
    }
  };

  const follow = () => {
    for (const [chart, figure] of drawn) {
      const now = video.currentTime - figure.offset;
      const inside = now >= 0 && now <= figure.layout.xaxis.range[1] ? now : undefined;
      if (inside === figure.now) continue;
      figure.now = inside;
      Plotly.relayout(chart, { shapes: shapesOf(figure) });
    }
  };

  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      seen.unobserve(entry.target);
      draw(entry.target);
    }
  }, { rootMargin: "400px" });
  document.querySelectorAll(".chart").forEach((chart) => seen.observe(chart));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => [...drawn.keys()].forEach(draw));

  if (video) {
    video.addEventListener("timeupdate", follow);
    video.addEventListener("seeked", follow);
    const missing = () => {
      video.hidden = true;
      note.textContent = "The annotated video is not beside this page, so it cannot be played here.";
    };
    video.addEventListener("error", missing);
    if (video.error) missing(); // it may have failed before this script ran
    document.querySelectorAll("[data-seek]").forEach((button) => {
      button.addEventListener("click", () => seek(Number(button.dataset.seek), true));
    });
  }
})();
