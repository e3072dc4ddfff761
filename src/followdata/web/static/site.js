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

const STEP = { "-": "transparent" };
STEPS.forEach((colour, step) => { STEP[step] = colour; });

function follow(root) {
  const place = root.matches?.("[data-run]") ? root : root.querySelector("[data-run]");
  if (!place) return;
  const [bar, said] = [place.querySelector("progress"), place.querySelector("output")];
  const canvas = place.querySelector("canvas");
  const replay = place.querySelector(".replay");
  const frames = [];
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
  hear("frame", (frame) => { frames.push(frame); paint(canvas, frame, frames.at(-2)); });
  hear("done", () => {
    settle();
    renew();
    if (!stay) show(location.href, { push: false });
    else if (frames.length) player(replay, frames, canvas, said);
  });
  for (const kind of ["failed", "stopped"]) {
    hear(kind, ({ message }) => { settle(); renew(); said.textContent = message; });
  }
  hear("end", () => { settle(); said.textContent = "The run was cut off; ask again and it goes on."; });
}

function player(controls, frames, canvas, said) {
  const [button, slider] = [controls.querySelector("button"), controls.querySelector("input")];
  const at = (moment) => {
    slider.value = moment;
    paint(canvas, frames[moment], frames[moment - 1]);
    const { cycle, error } = frames[moment];
    said.textContent = `cycle ${cycle}, mean error ${error.toFixed(4)}`;
  };
  let timer;
  const stop = () => { clearInterval(timer); timer = undefined; button.textContent = "Play"; };
  controls.hidden = false;
  slider.max = frames.length - 1;
  at(frames.length - 1);
  slider.addEventListener("input", () => { stop(); at(Number(slider.value)); });
  button.addEventListener("click", () => {
    if (timer) { stop(); return; }
    let moment = Number(slider.value) < frames.length - 1 ? Number(slider.value) : -1;
    button.textContent = "Pause";
    timer = setInterval(() => {
      moment += 1;
      if (moment >= frames.length) { stop(); return; }
      at(moment);
    }, 120);
  });
}

function paint(canvas, { rows, columns, cells }, before) {
  const [wide, high] = [columns > 40 ? 12 : 24, 12];
  if (canvas.hidden) {
    canvas.width = columns * wide; canvas.height = rows * high;
    canvas.hidden = false;
  }
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.font = `${high - 2}px monospace`; pen.textAlign = "center"; pen.textBaseline = "middle";
  for (let cell = 0; cell < cells.length; cell += 1) {
    const [x, y] = [(cell % columns) * wide, Math.floor(cell / columns) * high];
    const step = cells[cell];
    pen.fillStyle = STEP[step];
    pen.fillRect(x, y, wide, high);
    const old = before?.cells[cell];
    if (old !== undefined && old !== step) {
      // Light where it got better, dark where it got worse.
      pen.fillStyle = step < old ? "#ffffff" : "#000000";
      pen.fillText(step, x + wide / 2, y + high / 2 + 1);
    }
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
