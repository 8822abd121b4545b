// Runs before anything is drawn, so that a chosen theme does not flash.
(() => {
  "use strict";
  const kept = localStorage.getItem("amiss-theme");
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
})();
