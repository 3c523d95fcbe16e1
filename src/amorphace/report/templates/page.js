"use strict";
// Everything the page shows beyond its text: plots, downloads, colours, the 3D view.
const $ = (id) => document.getElementById(id);
const root = document.documentElement;
const ink = (name) => getComputedStyle(root).getPropertyValue(name).trim();
window.amorphace = { drawn: new Set(), camera: null };
let view = null, csv = {};
const heights = {};

// Text of an element that holds base64 of gzip.
async function unpacked(id) {
  const packed = Uint8Array.from(atob($(id).textContent), (c) => c.charCodeAt(0));
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

// ---------------------------------------------------------------- colours
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
let chosen = null; // what the reader asked for, or null
try { chosen = localStorage.getItem("amorphace-theme"); } catch { /* a browser without storage */ }
let printing = false;

function setTheme() {
  const dark = !printing && (chosen ? chosen === "dark" : prefersDark.matches);
  root.dataset.theme = dark ? "dark" : "light";
  $("theme").setAttribute("aria-pressed", String(dark));
  $("theme").textContent = dark ? "Light page" : "Dark page";
  for (const name of window.amorphace.drawn) Plotly.relayout($("plot-" + name), themed(plots[name].layout));
  if (view) view.draw();
}

// The keys of a layout that carry the colours of the page.
function themed(layout) {
  const keys = {
    "font.color": ink("--ink"), "hoverlabel.bgcolor": ink("--paper"), "hoverlabel.bordercolor": ink("--line"),
    "hoverlabel.font.color": ink("--ink"), "modebar.color": ink("--soft"), "modebar.activecolor": ink("--ink"),
  };
  for (const axis of Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key))) {
    keys[axis + ".gridcolor"] = ink("--grid");
    keys[axis + ".linecolor"] = ink("--ink");
    keys[axis + ".tickcolor"] = ink("--ink");
  }
  return keys;
}

$("theme").addEventListener("click", () => {
  chosen = root.dataset.theme === "dark" ? "light" : "dark";
  try { localStorage.setItem("amorphace-theme", chosen); } catch { /* not remembered */ }
  setTheme();
});
prefersDark.addEventListener("change", () => setTheme());

// ---------------------------------------------------------------- plots
let plots = {};
// named one by one: plotly's own choice would offer to send the plot to a server
const CONFIG = { displaylogo: false, modeBarButtons: [["zoom2d", "pan2d", "resetScale2d"]] };

function drawPlot(name) {
  if (window.amorphace.drawn.has(name)) return;
  window.amorphace.drawn.add(name);
  makePlot(name, $("plot-" + name).clientWidth);
}

// A plot from nothing: one that is changed keeps the room of a legend or of colours that moved.
function makePlot(name, width) {
  const place = $("plot-" + name), { data, layout } = plots[name];
  fitLegend(layout, width);
  for (const [key, value] of Object.entries(themed(layout))) put(layout, key.split("."), value);
  Plotly.newPlot(place, data, layout, CONFIG);
  if (layout.yaxis.scaleanchor && layout.coloraxis) {
    sizeDiscs(place);
    place.on("plotly_relayout", () => sizeDiscs(place));
  }
}

// Discs of a slice are as large as the particles, whatever the width and the zoom.
function sizeDiscs(place) {
  const axis = place._fullLayout.xaxis, pixels = axis._length / Math.abs(axis.range[1] - axis.range[0]);
  place.data.forEach((trace, k) => {
    if (trace.meta) Plotly.restyle(place, { "marker.size": Math.max(2, trace.meta * pixels) }, [k]);
  });
}

// Set a nested key of a layout.
function put(layout, path, value) {
  const last = path.pop();
  path.reduce((inner, key) => (inner[key] ??= {}), layout)[last] = value;
}

// A legend or colours beside a narrow plot would take all its width: they go below.
function fitLegend(layout, width) {
  const inside = layout.height - 80; // without the margins
  Object.assign(layout.legend ??= {}, width < 560
    ? { orientation: "h", x: 0, xanchor: "left", y: -58 / inside, yanchor: "top" }
    : { orientation: "v", x: 1.02, xanchor: "left", y: 1, yanchor: "top" });
  if (layout.coloraxis) Object.assign(layout.coloraxis.colorbar, width < 420
    ? { orientation: "h", x: 0.5, xanchor: "center", y: -60 / inside, yanchor: "top", len: 1, nticks: 4, tickangle: 0 }
    : { orientation: "v", x: 1.02, xanchor: "left", y: 0.5, yanchor: "middle", len: 1, nticks: 0, tickangle: 0 });
  if (layout.coloraxis) layout.coloraxis.colorbar.title.side = width < 420 ? "bottom" : "top";
}

// Plots in sight first, the others one by one when nothing else is to do.
const waiting = [...document.querySelectorAll(".plot")].map((place) => place.dataset.plot);
const sight = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) drawPlot(entry.target.dataset.plot);
}, { rootMargin: "200px" });
const idle = window.requestIdleCallback ?? ((work) => setTimeout(work, 1));
function drawNext() {
  const name = waiting.find((one) => !window.amorphace.drawn.has(one));
  if (name === undefined) {
    sight.disconnect();
    performance.mark("all-drawn");
    root.dataset.ready = "true";
    return;
  }
  drawPlot(name);
  idle(drawNext);
}

// A window of another width: legends go where there is room.
let resized = 0;
addEventListener("resize", () => {
  clearTimeout(resized);
  resized = setTimeout(() => {
    if (printing) return;
    for (const name of window.amorphace.drawn) makePlot(name, $("plot-" + name).clientWidth);
  }, 150);
});

// Paper is narrower than a screen and white: plots are drawn anew for it, and again afterwards.
const PRINT_WIDTH = 660, PRINT_HEIGHT = 340;
const inRow = (place) => Math.min(2, place.closest(".plots").className.match(/of(\d+)/)[1]); // on paper
function printLayout(on) {
  printing = on;
  document.querySelectorAll("details").forEach((one) => { one.open = on; });
  waiting.forEach(drawPlot);
  setTheme();
  for (const name of waiting) {
    const place = $("plot-" + name), layout = plots[name].layout, width = PRINT_WIDTH / inRow(place);
    const tall = heights[name] > 450 || !on; // all that is printed as high as on the screen
    Object.assign(layout, { width: on ? width : undefined, height: tall ? heights[name] : Math.min(heights[name], PRINT_HEIGHT), autosize: !on });
    makePlot(name, on ? width : place.clientWidth);
  }
}
addEventListener("beforeprint", () => printLayout(true));
addEventListener("afterprint", () => printLayout(false));

// ---------------------------------------------------------------- downloads
function save(name, text, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
for (const button of document.querySelectorAll("button.download")) {
  button.addEventListener("click", () => save(button.dataset.csv + ".csv", csv[button.dataset.csv], "text/csv;charset=utf-8"));
}
for (const button of document.querySelectorAll("button.picture")) {
  button.addEventListener("click", async () => {
    for (const name of button.dataset.plots.split(" ")) {
      drawPlot(name);
      const url = await Plotly.toImage($("plot-" + name), { format: "svg", width: 720, height: 480 });
      save(name + ".svg", decodeURIComponent(url.slice(url.indexOf(",") + 1)), "image/svg+xml");
    }
  });
}

// ---------------------------------------------------------------- start
async function start() {
  setTheme();
  const data = JSON.parse(await unpacked("data"));
  ({ plots, csv } = data);
  for (const name of waiting) heights[name] = plots[name].layout.height;
  if (data.snapshots.length) view = startView(data.snapshots, data.palettes);
  if (waiting.length) {
    const library = document.createElement("script");
    library.textContent = await unpacked("plotly");
    document.head.append(library);
  }
  for (const place of document.querySelectorAll(".plot")) sight.observe(place);
  performance.mark("readable");
  idle(drawNext);
}
start().catch((error) => {
  $("trouble").hidden = false;
  $("trouble").textContent = `The plots could not be drawn (${error.message}). They need a browser of 2023 or later.`;
  console.error(error);
});
