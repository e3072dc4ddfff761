// One path for mouse, keyboard, no-script and address: a form, its address, and the fragment there.

const dark = matchMedia("(prefers-color-scheme: dark)");
const ready = (is) => { document.documentElement.dataset.ready = is; };

// Charts

let vega;
const drawn = new Map();

async function draw(root) {
  const places = [...root.querySelectorAll(".chart")];
  if (places.length) {
    vega ??= import(document.documentElement.dataset.vega);
    const { vegaEmbed } = await vega;
    await Promise.all(places.map((place) => drawOne(place, vegaEmbed)));
  }
  ready(true);
}

async function drawOne(place, embed) {
  const script = place.querySelector("script");
  if (script) place.spec = script.textContent;
  drawn.get(place)?.finalize();
  const many = place.spec.length > 200000;
  const result = await embed(place, JSON.parse(place.spec), {
    mode: "vega-lite", ast: true, actions: false, renderer: many ? "canvas" : "svg",
    config: THEMES[dark.matches ? "dark" : "light"], defaultStyle: false,
    tooltip: { disableDefaultStyle: true },
  });
  drawn.set(place, result);
  // The place itself is the picture to a screen reader; its parts are the marks inside.
  for (const part of place.querySelectorAll("svg, canvas")) part.setAttribute("aria-hidden", "true");
  if (place.dataset.click) {
    result.view.addEventListener("click", (event, item) => {
      const value = item?.datum?.[place.dataset.field];
      if (value !== undefined) go(place.dataset.click + encodeURIComponent(value));
    });
  }
}

dark.addEventListener("change", () => draw(document));

// The form and its answer

let shown = 0;

async function show(address, { push = true } = {}) {
  const mine = ++shown;
  const answer = document.getElementById("answer");
  ready(false);
  answer.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(address, { headers: { "Followdata-Fragment": "1" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (mine !== shown) return; // something else has been asked since
    const fresh = page.getElementById("answer");
    if (!fresh) { location.assign(address); return; }
    answer.replaceWith(fresh);
    if (push) history.pushState({}, "", address);
    document.getElementById("heading").textContent = fresh.dataset.heading;
    document.title = `${fresh.dataset.heading} · followdata`;
    follow(fresh);
    await draw(fresh);
  } catch {
    if (mine === shown) location.assign(address);
  }
}

function address(form) {
  const values = [...new FormData(form)].filter(([, value]) => value !== "");
  return `${form.getAttribute("action")}?${new URLSearchParams(values)}`;
}

// What was clicked leads to another page, or is one more choice in this page's form.
function go(address) {
  const { pathname, searchParams } = new URL(address, location);
  if (!ask || pathname !== location.pathname) { location.assign(address); return; }
  for (const field of ask.elements) {
    if (field.name) field.value = searchParams.get(field.name) ?? "";
  }
  show(address);
}

const ask = document.getElementById("ask");
if (ask) {
  ask.addEventListener("submit", (event) => { event.preventDefault(); show(address(ask)); });
  // What has to be learnt first waits for the button; what is quick follows each change.
  if (!("long" in ask.dataset)) {
    let pause;
    ask.addEventListener("change", (event) => {
      clearTimeout(pause);
      if (event.target.name === "data") location.assign(address(ask));
      // Letters typed into a menu choose anew one by one.
      else pause = setTimeout(() => show(address(ask)), 200);
    });
    ask.addEventListener("submit", () => clearTimeout(pause));
  }
  addEventListener("popstate", () => location.reload());
}

// Names that go on from what was typed

for (const field of document.querySelectorAll("[data-names]")) {
  let asked = 0;
  field.addEventListener("input", async () => {
    const mine = ++asked;
    const response = await fetch(`${field.dataset.names}&q=${encodeURIComponent(field.value)}`);
    if (!response.ok || mine !== asked) return;
    const names = (await response.json()).names;
    field.list.replaceChildren(...names.map(({ name, title }) => new Option(title, name)));
  });
}

// Runs: follow the journal, draw its frames, play them again

function follow(root) {
  const place = root.matches?.("[data-run]") ? root : root.querySelector("[data-run]");
  if (!place) return;
  const [bar, said] = [place.querySelector("progress"), place.querySelector(".said")];
  const grid = new Grid(place);
  const { stay } = place.dataset;
  // A run's own page was made while it went on: its state and journal are made anew at the end.
  const renew = () => { if (stay === "running" || stay === "starting") location.reload(); };
  const journal = new EventSource(`${place.dataset.run}/events`);
  const hear = (kind, then) =>
    journal.addEventListener(kind, (event) => then(JSON.parse(event.data)));
  const settle = () => { journal.close(); place.dataset.settled = "true"; };

  hear("progress", ({ done, total, what }) => {
    bar.max = total; bar.value = done;
    said.textContent = `${done} of ${total} ${what}`;
  });
  for (const kind of ["notice", "waiting"]) hear(kind, ({ text }) => { said.textContent = text; });
  hear("partly", ({ story, text }) => {
    const partly = place.querySelector(".partly");
    partly.hidden = false;
    partly.firstChild.href = `/${encodeURIComponent(story)}#fetch`;
    partly.firstChild.title = text;
  });
  hear("grid", (names) => grid.name(names));
  hear("frame", (frame) => grid.add(frame));
  hear("done", () => {
    settle();
    renew();
    if (!stay) show(location.href, { push: false });
    else if (grid.frames.length) player(place.querySelector(".replay"), grid, said);
  });
  for (const kind of ["failed", "stopped"]) {
    hear(kind, ({ message }) => {
      settle();
      renew();
      if (stay && grid.frames.length) player(place.querySelector(".replay"), grid, said);
      said.textContent = message;
    });
  }
  hear("end", () => { settle(); said.textContent = "The run was cut off; ask again and it goes on."; });
}

function player(controls, grid, said) {
  const [button, slider] = [controls.querySelector("button"), controls.querySelector("input")];
  const at = (moment) => {
    slider.value = moment;
    grid.show(moment);
    const { cycle, error } = grid.frames[moment];
    said.textContent = `cycle ${cycle}, mean error ${error.toFixed(4)}`;
    slider.setAttribute("aria-valuetext", said.textContent);
  };
  let timer;
  const stop = () => { clearInterval(timer); timer = undefined; button.textContent = "Play"; };
  controls.hidden = false;
  slider.max = grid.frames.length - 1;
  at(grid.frames.length - 1);
  slider.addEventListener("input", () => { stop(); at(Number(slider.value)); });
  button.addEventListener("click", () => {
    if (timer) { stop(); return; }
    let moment = Number(slider.value) < grid.frames.length - 1 ? Number(slider.value) : -1;
    button.textContent = "Pause";
    timer = setInterval(() => {
      moment += 1;
      if (moment >= grid.frames.length) { stop(); return; }
      at(moment);
    }, 120);
  });
}

// The cells of a frame as an image: one pixel each, enlarged, with digits where one has moved.

const EDGES = [0, 0.01, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1];
const PIXELS = STEPS.map((colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)));
const span = (bin) => bin === "-" ? "missing" : `error ${EDGES[bin]}${EDGES[Number(bin) + 1] ? ` to ${EDGES[Number(bin) + 1]}` : " and more"}`;

class Grid {
  constructor(place) {
    [this.canvas, this.told] = [place.querySelector("canvas"), place.querySelector(".cell")];
    [this.order, this.whole] = [place.querySelector(".order"), place.querySelector(".whole")];
    this.controls = place.querySelector(".shown");
    this.bins = place.querySelector(".bins");
    this.frames = [];
    this.names = { rows: [], columns: [], alike: [[], []] };
    for (const control of [this.order, this.whole]) {
      control.addEventListener("change", () => this.show(this.moment));
    }
    this.canvas.addEventListener("pointermove", (event) => this.tell(event));
    this.canvas.addEventListener("pointerleave", () => { this.told.textContent = "\u00a0"; });
  }

  name(names) { this.names = names; }

  add(frame) {
    // An attempt that began anew draws again what was drawn before.
    this.frames = this.frames.filter(({ cycle }) => cycle < frame.cycle);
    this.frames.push(frame);
    this.whole.parentElement.hidden = !frame.whole;
    this.show(this.frames.length - 1);
  }

  show(moment) {
    this.moment = moment;
    this.now = this.laid(this.frames[moment]);
    this.draw(this.now, moment ? this.laid(this.frames[moment - 1]) : this.now);
  }

  // The cells that are seen, in the order that is chosen.
  laid(frame) {
    if (this.whole.checked && frame.whole) return { ...frame.whole, blocks: true };
    const { rows, columns, cells } = frame;
    const [down, right] = this.names.alike;
    if (this.order.value !== "alike" || down.length !== rows || right.length !== columns) return frame;
    const laid = down.map((row) => right.map((column) => cells[row * columns + column]).join(""));
    return { rows, columns, cells: laid.join("") };
  }

  draw({ rows, columns, cells }, before) {
    const [wide, high] = [columns > 40 ? 12 : 24, 12];
    const image = new ImageData(columns, rows);
    for (let cell = 0; cell < cells.length; cell += 1) {
      const bin = cells[cell];
      if (bin !== "-") image.data.set([...PIXELS[bin], 255], 4 * cell);
    }
    const small = new OffscreenCanvas(columns, rows);
    small.getContext("2d").putImageData(image, 0, 0);
    [this.canvas.width, this.canvas.height] = [columns * wide, rows * high];
    this.canvas.hidden = this.controls.hidden = false;
    if (this.bins.hidden) this.explain();
    const pen = this.canvas.getContext("2d");
    pen.imageSmoothingEnabled = false;
    pen.drawImage(small, 0, 0, columns * wide, rows * high);
    if (before.cells.length !== cells.length) return;
    pen.font = `bold ${high - 1}px monospace`; pen.textAlign = "center"; pen.textBaseline = "middle";
    for (let cell = 0; cell < cells.length; cell += 1) {
      const [bin, old] = [cells[cell], before.cells[cell]];
      if (bin === old || bin === "-") continue;
      // Light where it got better, dark where it got worse.
      pen.fillStyle = bin < old ? "#ffffff" : "#000000";
      pen.fillText(bin, (cell % columns + 0.5) * wide, (Math.floor(cell / columns) + 0.5) * high + 1);
    }
  }

  explain() {
    this.bins.hidden = false;
    this.bins.replaceChildren(...STEPS.map((colour, bin) => {
      const [item, patch] = [document.createElement("li"), document.createElement("i")];
      patch.style.background = colour;
      item.append(patch, `${bin}: ${span(String(bin)).replace("error ", "")}\u2002`);
      return item;
    }));
  }

  tell(event) {
    const { rows, columns, cells, blocks } = this.now;
    const box = this.canvas.getBoundingClientRect();
    const column = Math.min(columns - 1, Math.floor((event.clientX - box.left) / box.width * columns));
    const row = Math.min(rows - 1, Math.floor((event.clientY - box.top) / box.height * rows));
    if (row < 0 || column < 0) return;
    const alike = this.order.value === "alike" && this.names.alike[0].length === rows;
    const [down, right] = alike ? [this.names.alike[0][row], this.names.alike[1][column]] : [row, column];
    const names = blocks ? ["block of rows", "block of columns"]
      : [this.names.rows[down] ?? down + 1, this.names.columns[right] ?? right + 1];
    this.told.textContent = `${names[0]}, ${names[1]}: ${span(cells[row * columns + column])}`;
  }
}

// A file dropped on the form is the file chosen in it

for (const form of document.querySelectorAll(".opening")) {
  const over = (is) => (event) => { event.preventDefault(); form.classList.toggle("over", is); };
  form.addEventListener("dragover", over(true));
  form.addEventListener("dragleave", over(false));
  form.addEventListener("drop", (event) => {
    over(false)(event);
    if (!event.dataTransfer.files.length) return;
    form.elements.file.files = event.dataTransfer.files;
    form.requestSubmit();
  });
  form.addEventListener("submit", () => {
    const button = form.querySelector("button");
    button.textContent = "Reading …";
    button.disabled = true;
  });
  // A page that the browser kept when it went on is shown as it was at first.
  addEventListener("pageshow", () => {
    const button = form.querySelector("button");
    button.textContent = "Open";
    button.disabled = false;
  });
}

follow(document);
draw(document);
