// The 3D view: spheres painted from back to front, in parallel projection; one picture for each
// colouring, all turning together.
const LEVELS = 48, DEPTHS = 8, SPRITE = 48; // colours of a scale, shades by depth, pixels of a sphere
const GREY = [150, 156, 164];

function startView(snapshots, palettes) {
  const panes = [...document.querySelectorAll(".stage")].map((stage) => ({
    canvas: stage.querySelector("canvas"), select: stage.querySelector("select"), tip: stage.querySelector(".tip"),
    bar: stage.querySelector(".bar"), legend: stage.querySelector(".legend"), shown: [],
  }));
  const HOME = { yaw: -0.6, pitch: 0.45, zoom: 1 };
  const camera = (window.amorphace.camera = { ...HOME });
  let glass, waiting = false;

  // ---- data
  function open(k) {
    const s = snapshots[k], n = s.n, cell = s.cell;
    const q = new Uint16Array(bytes(s.fractional)), at = new Float32Array(3 * n), f = new Float32Array(3 * n);
    for (let i = 0; i < 3 * n; i++) f[i] = (q[i] + 0.5) / 65536;
    for (let i = 0; i < n; i++)
      for (let d = 0; d < 3; d++)
        at[3 * i + d] = (f[3 * i] - 0.5) * cell[0][d] + (f[3 * i + 1] - 0.5) * cell[1][d] + (f[3 * i + 2] - 0.5) * cell[2][d];
    const columns = {};
    for (const [name, c] of Object.entries(s.columns)) columns[name] = { ...c, values: new Float32Array(bytes(c.values)) };
    glass = { ...s, at, f, columns, kind: new Uint8Array(bytes(s.kind)), ids: new Int32Array(bytes(s.ids)) };
    const names = [...Object.keys(columns), ""], wanted = ["d2min", "score"];
    panes.forEach((pane, k) => {
      const before = pane.select.options.length ? pane.select.value : wanted[k];
      fill(pane.select, names.map((name) => [name, columns[name]?.title ?? "species"]));
      pane.select.value = names.includes(before) ? before : names[Math.min(k, names.length - 1)];
    });
    const box = $("v-species");
    box.querySelectorAll("label").forEach((one) => one.remove());
    s.species.forEach((name, z) => {
      const label = document.createElement("label"), tick = document.createElement("input");
      Object.assign(tick, { type: "checkbox", checked: true, value: z });
      tick.addEventListener("change", draw);
      label.append(tick, name);
      box.append(label);
    });
    $("v-caption").textContent = s.caption;
    panes.forEach(recolour);
  }
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
  function fill(select, options) {
    select.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
  }

  // ---- colours: a column's scale, or one colour a class
  function recolour(pane) {
    const c = glass.columns[pane.select.value], classes = !c || c.classes;
    let legend = [];
    pane.level = new Int16Array(glass.n); // -1: no colour, painted grey
    pane.known = new Uint8Array(glass.n);
    if (!c) {
      pane.colours = glass.species.map((_, z) => palettes.classes[z % palettes.classes.length]);
      legend = glass.species.map((text, z) => [text, pane.colours[z]]);
      for (let i = 0; i < glass.n; i++) { pane.level[i] = glass.kind[i]; pane.known[i] = 1; }
    } else if (c.classes) {
      pane.colours = c.classes.map((one) => one.colour);
      legend = c.classes.map((one) => [one.text, one.colour]);
      for (let i = 0; i < glass.n; i++) {
        const k = (pane.level[i] = c.classes.findIndex((one) => one.value === c.values[i]));
        pane.known[i] = k >= 0 && !c.classes[k].faint ? 1 : 0;
      }
    } else {
      pane.colours = palettes.scale;
      const [low, high] = c.range;
      for (let i = 0; i < glass.n; i++) {
        const share = (c.values[i] - low) / (high - low);
        pane.known[i] = Number.isFinite(share) ? 1 : 0;
        pane.level[i] = pane.known[i] ? Math.round(Math.min(1, Math.max(0, share)) * (pane.colours.length - 1)) : -1;
      }
      pane.ends = [short(low), `${c.clipped ? "≥ " : ""}${short(high)}  ${c.title}`];
      pane.bar.querySelector("i").style.background = `linear-gradient(90deg, ${pane.colours.map((x) => `rgb(${x})`).join(",")})`;
      pane.bar.querySelector(".low").textContent = pane.ends[0];
      pane.bar.querySelector(".high").textContent = pane.ends[1];
    }
    pane.bar.hidden = classes;
    pane.legend.hidden = !classes;
    pane.legend.replaceChildren(...legend.map(([text, colour]) => {
      const item = document.createElement("li"), dot = document.createElement("i");
      dot.style.background = `rgb(${colour})`;
      item.append(dot, text);
      return item;
    }));
    pane.classes = legend;
    pane.sprites = null;
    draw();
  }
  const short = (x) => Number(x.toPrecision(3)).toString();

  // One picture of a sphere for every colour and depth, with light from the upper left.
  function makeSprites(pane) {
    const sheet = document.createElement("canvas");
    const rows = [...pane.colours, GREY], behind = rgb(ink("--panel"));
    sheet.width = SPRITE * DEPTHS;
    sheet.height = SPRITE * rows.length;
    const brush = sheet.getContext("2d"), h = SPRITE / 2;
    rows.forEach((colour, row) => {
      for (let depth = 0; depth < DEPTHS; depth++) {
        const fog = 0.35 * (depth / (DEPTHS - 1)) ** 1.5;
        const tone = (light) => `rgb(${colour.map((c, d) => Math.round((light > 1 ? c + (255 - c) * (light - 1) : c * light) * (1 - fog) + behind[d] * fog))})`;
        const x = depth * SPRITE + h, y = row * SPRITE + h;
        const shade = brush.createRadialGradient(x - 0.3 * h, y - 0.35 * h, 0.05 * h, x, y, h);
        shade.addColorStop(0, tone(1.45));
        shade.addColorStop(0.35, tone(1.05));
        shade.addColorStop(0.85, tone(0.8));
        shade.addColorStop(1, tone(0.5));
        brush.fillStyle = shade;
        brush.beginPath();
        brush.arc(x, y, h - 1, 0, 2 * Math.PI);
        brush.fill();
      }
    });
    pane.sprites = sheet;
    sheet.theme = root.dataset.theme;
  }
  const rgb = (hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));

  // ---- geometry
  function axes() {
    const { yaw, pitch } = camera, cy = Math.cos(yaw), sy = Math.sin(yaw), cp = Math.cos(pitch), sp = Math.sin(pitch);
    return { right: [cy, sy, 0], up: [-sy * sp, cy * sp, cp], near: [sy * cp, -cy * cp, sp] };
  }
  const dot = (u, v) => u[0] * v[0] + u[1] * v[1] + u[2] * v[2];
  function corner(k) {
    return [0, 1, 2].map((d) => glass.cell.reduce((sum, row, j) => sum + ((k >> j & 1) - 0.5) * row[d], 0));
  }
  // Whether a particle is on the kept side of the clip plane, in the slice, and of a shown species.
  function sieve(pane) {
    const axis = Number($("v-axis").value), at = Number($("v-at").value), slice = $("v-slice").checked;
    const only = $("v-known").checked, half = 0.5 / glass.heights[Math.max(axis, 0)];
    const kinds = [...$("v-species").querySelectorAll("input")].map((one) => one.checked);
    return (i) => {
      if (!kinds[glass.kind[i]] || (only && !pane.known[i])) return false;
      if (axis < 0) return true;
      const x = glass.f[3 * i + axis];
      return slice ? Math.min(Math.abs(x - at), 1 - Math.abs(x - at)) <= half : x <= at;
    };
  }

  // ---- painting
  function draw() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; panes.forEach(paintAll); });
  }
  function paintAll(pane) {
    const canvas = pane.canvas, paint = canvas.getContext("2d");
    const ratio = Math.min(devicePixelRatio || 1, 2), w = canvas.clientWidth, h = canvas.clientHeight;
    if (!w) return;
    if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
      canvas.width = Math.round(w * ratio);
      canvas.height = Math.round(h * ratio);
    }
    if (!pane.sprites || pane.sprites.theme !== root.dataset.theme) makeSprites(pane);
    const { right, up, near } = axes(), corners = Array.from({ length: 8 }, (_, k) => corner(k));
    const reach = Math.max(...corners.map((c) => Math.hypot(...c)));
    const scale = (camera.zoom * Math.min(w, h)) / (2.05 * reach), keep = sieve(pane);
    const rows = [], depth = new Float32Array(glass.n);
    for (let i = 0; i < glass.n; i++) {
      if (!keep(i)) continue;
      depth[i] = near[0] * glass.at[3 * i] + near[1] * glass.at[3 * i + 1] + near[2] * glass.at[3 * i + 2];
      rows.push(i);
    }
    rows.sort((i, j) => depth[i] - depth[j]);
    paint.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint.clearRect(0, 0, w, h);
    const place = (p) => [w / 2 + scale * dot(right, p), h / 2 - scale * dot(up, p)];
    // cell edges behind the middle first, then particles, then edges in front
    const edges = [];
    for (let k = 0; k < 8; k++) for (const j of [1, 2, 4]) if (!(k & j)) edges.push([k, k | j]);
    const front = Math.max(...corners.map((c) => dot(near, c)));
    const stroke = (wanted) => {
      paint.strokeStyle = ink("--soft");
      paint.lineWidth = 1;
      for (const [a, b] of edges) {
        const isFront = [a, b].some((k) => dot(near, corners[k]) > front - 1e-6);
        if (isFront !== wanted) continue;
        paint.globalAlpha = wanted ? 0.45 : 0.8;
        paint.beginPath();
        paint.moveTo(...place(corners[a]));
        paint.lineTo(...place(corners[b]));
        paint.stroke();
      }
      paint.globalAlpha = 1;
    };
    stroke(false);
    pane.shown = [];
    const deepest = rows.length ? depth[rows[0]] : 0, nearest = rows.length ? depth[rows[rows.length - 1]] : 1;
    for (const i of rows) {
      const x = w / 2 + scale * (right[0] * glass.at[3 * i] + right[1] * glass.at[3 * i + 1] + right[2] * glass.at[3 * i + 2]);
      const y = h / 2 - scale * (up[0] * glass.at[3 * i] + up[1] * glass.at[3 * i + 1] + up[2] * glass.at[3 * i + 2]);
      const r = (scale * glass.diameters[glass.kind[i]]) / 2 * (pane.known[i] ? 1 : 0.55);
      const row = pane.level[i] < 0 ? pane.colours.length : pane.level[i];
      const shade = Math.round((DEPTHS - 1) * (nearest - depth[i]) / Math.max(nearest - deepest, reach));
      paint.drawImage(pane.sprites, shade * SPRITE, row * SPRITE, SPRITE, SPRITE, x - r, y - r, 2 * r, 2 * r);
      pane.shown.push([i, x, y, r]);
    }
    stroke(true);
    canvas.dataset.shown = rows.length;
  }

  // ---- what the pointer is on
  function pick(pane, x, y) {
    for (let k = pane.shown.length - 1; k >= 0; k--) {
      const [i, px, py, r] = pane.shown[k];
      if ((px - x) ** 2 + (py - y) ** 2 <= r * r) return i;
    }
    return -1;
  }
  function point(pane, event) {
    const i = pick(pane, event.offsetX, event.offsetY), tip = pane.tip;
    tip.hidden = i < 0;
    if (i < 0) return;
    const lines = Object.values(glass.columns).map((c) => {
      const value = c.values[i], named = c.classes?.find((one) => one.value === value);
      return `${c.title}: ${named ? named.text : Number.isFinite(value) ? value.toPrecision(4) : "not known"}`;
    });
    tip.textContent = [`particle ${glass.ids[i]}, ${glass.species[glass.kind[i]]}`, ...lines].join("\n");
    tip.style.left = `${Math.min(event.offsetX + 14, pane.canvas.clientWidth - tip.offsetWidth - 4)}px`;
    tip.style.top = `${Math.max(4, event.offsetY - tip.offsetHeight - 10)}px`;
  }

  // ---- turning
  function turn(yaw, pitch) {
    camera.yaw += yaw;
    camera.pitch = Math.max(-Math.PI / 2, Math.min(Math.PI / 2, camera.pitch + pitch));
    draw();
  }
  function zoom(factor) {
    camera.zoom = Math.max(0.5, Math.min(8, camera.zoom * factor));
    draw();
  }
  function clip(step) {
    $("v-at").value = Number($("v-at").value) + step;
    showClip();
  }
  function showClip() {
    $("v-at-out").value = Number($("v-at").value).toFixed(2);
    draw();
  }
  function home() {
    Object.assign(camera, HOME);
    $("v-at").value = 1;
    $("v-slice").checked = $("v-known").checked = false;
    showClip();
  }
  const KEYS = {
    ArrowLeft: () => turn(0.1, 0), ArrowRight: () => turn(-0.1, 0), ArrowUp: () => turn(0, 0.1), ArrowDown: () => turn(0, -0.1),
    "+": () => zoom(1.15), "=": () => zoom(1.15), "-": () => zoom(1 / 1.15), "0": home, ",": () => clip(-0.02), ".": () => clip(0.02),
  };
  for (const pane of panes) {
    const canvas = pane.canvas;
    let held = null;
    canvas.addEventListener("keydown", (event) => {
      const act = KEYS[event.key];
      if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      act();
    });
    canvas.addEventListener("pointerdown", (event) => {
      held = [event.clientX, event.clientY];
      canvas.setPointerCapture(event.pointerId);
      canvas.classList.add("held");
      pane.tip.hidden = true;
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!held) return point(pane, event);
      turn(-(event.clientX - held[0]) * 0.008, (event.clientY - held[1]) * 0.008);
      held = [event.clientX, event.clientY];
    });
    const release = () => { held = null; canvas.classList.remove("held"); };
    canvas.addEventListener("pointerup", release);
    canvas.addEventListener("pointercancel", release);
    canvas.addEventListener("pointerleave", () => { pane.tip.hidden = true; });
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return; // the page scrolls; pinching counts as Ctrl
      event.preventDefault();
      zoom(Math.exp(-event.deltaY * 0.003));
    }, { passive: false });
    pane.select.addEventListener("change", () => recolour(pane));
    new ResizeObserver(draw).observe(canvas);
  }

  // ---- a picture: the panes side by side, each with what its colours are
  function picture() {
    const ratio = panes[0].canvas.width / panes[0].canvas.clientWidth, foot = 34;
    const sheet = document.createElement("canvas"), brush = sheet.getContext("2d");
    sheet.width = panes.reduce((sum, pane) => sum + pane.canvas.width, 0);
    sheet.height = panes[0].canvas.height + foot * ratio;
    brush.fillStyle = ink("--paper");
    brush.fillRect(0, 0, sheet.width, sheet.height);
    brush.scale(ratio, ratio);
    brush.font = "15px system-ui, sans-serif";
    brush.textBaseline = "middle";
    let left = 0;
    for (const { canvas, bar, ends, colours, classes } of panes) {
      brush.drawImage(canvas, left, 0, canvas.clientWidth, canvas.clientHeight);
      const y = canvas.clientHeight + foot / 2;
      let x = left + 16;
      const write = (text) => { brush.fillStyle = ink("--ink"); brush.fillText(text, x, y); x += brush.measureText(text).width + 8; };
      const block = (colour, width) => { brush.fillStyle = `rgb(${colour})`; brush.fillRect(x, y - 6, width, 12); x += width; };
      if (bar.hidden) for (const [text, colour] of classes) { block(colour, 12); x += 6; write(text); x += 8; }
      else { write(ends[0]); colours.forEach((colour) => block(colour, 3)); x += 8; write(ends[1]); }
      left += canvas.clientWidth;
    }
    sheet.toBlob((blob) => save("view.png", blob, "image/png"));
  }

  $("v-snapshot")?.addEventListener("change", () => open(Number($("v-snapshot").value)));
  for (const id of ["v-axis", "v-slice", "v-known"]) $(id).addEventListener("change", draw);
  $("v-at").addEventListener("input", showClip);
  $("v-reset").addEventListener("click", home);
  $("v-picture").addEventListener("click", picture);
  $("controls").addEventListener("submit", (event) => event.preventDefault());
  open(0);
  return { draw };
}
