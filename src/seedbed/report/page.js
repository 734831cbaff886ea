(() => {
  "use strict";
  const root = document.documentElement;
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const canvases = [...document.querySelectorAll(".canvas")];
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const drawn = new Map();
  const NARROW = 560;
  const COLOURED = new Set([
    "color", "fillcolor", "bgcolor", "bordercolor", "gridcolor", "linecolor", "zerolinecolor",
    "tickcolor", "plot_bgcolor", "paper_bgcolor", "colorscale",
  ]);

  async function unpack() {
    const packed = document.getElementById("plotly").textContent.trim();
    const bytes = Uint8Array.from(atob(packed), (sign) => sign.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    // Plotly adds the style of geographic maps unless an element has its id. No plot here is one,
    // and the policy forbids it, so an empty element takes its place.
    const style = /getElementById\("([0-9a-f]{64})"\)/.exec(script.textContent);
    if (style) document.head.append(Object.assign(document.createElement("template"), { id: style[1] }));
    document.head.append(script);
  }

  function token(name) {
    const soft = name.endsWith("-soft") && name !== "@soft";
    const base = soft ? name.slice(1, -5) : name.slice(1);
    const value = getComputedStyle(root).getPropertyValue(`--plot-${base}`).trim();
    return soft ? `${value}66` : value;
  }

  function scale() {
    return [[0, token("@scale-low")], [0.5, token("@scale-middle")], [1, token("@scale-high")]];
  }

  function coloured(value, key) {
    if (typeof value === "string") {
      if (!COLOURED.has(key) || !value.startsWith("@")) return value;
      return value === "@scale" ? scale() : token(value);
    }
    if (Array.isArray(value)) return value.map((item) => coloured(item, key));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, coloured(v, k)]));
  }

  function shortened(text, longest) {
    const signs = text.match(/&(?:amp|lt|gt);|[^]/gu) || [];
    return signs.length <= longest ? text : `${signs.slice(0, longest - 1).join("")}…`;
  }

  function axis(given, narrow) {
    const made = {
      gridcolor: "@grid", linecolor: "@grid", zerolinecolor: "@grid", automargin: true, zeroline: false,
      tickfont: { size: narrow ? 11 : 12 }, ...given,
    };
    if (made.title) made.title = { font: { size: 12, color: "@soft" }, standoff: 8, ...made.title };
    if (narrow && made.ticktext) made.ticktext = made.ticktext.map((text) => shortened(text, 16));
    return made;
  }

  function layout(figure, width) {
    const narrow = width < NARROW;
    const made = {
      font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: "@ink" },
      paper_bgcolor: "@paper", plot_bgcolor: "@paper",
      margin: { l: 8, r: narrow ? 8 : 16, t: figure.layout.annotations ? 26 : 8, b: 8 },
      showlegend: false,
      legend: { orientation: "h", x: 0, y: 1.01, yanchor: "bottom", font: { size: 12 }, traceorder: "normal" },
      hoverlabel: { bgcolor: "@card", bordercolor: "@grid", font: { size: 13, color: "@ink" }, align: "left" },
      hovermode: "closest",
      dragmode: false,
      ...structuredClone(figure.layout),
    };
    made.height = figure.height;
    made.width = width;
    // On a narrow page the columns of a map of pairs go unnamed: they are those of the rows.
    if (narrow && figure.data[0].type === "heatmap")
      made.xaxis = { ...made.xaxis, showticklabels: false, title: { text: "in the order of the rows" } };
    for (const name of ["xaxis", "yaxis", ...Object.keys(made)])
      if (/^[xy]axis\d*$/.test(name)) made[name] = axis(made[name], narrow);
    if (made.showlegend) {
      const rows = Math.ceil(figure.data.length / Math.max(1, Math.floor(width / 190)));
      made.margin.t += 21 * rows;
      made.height += 21 * Math.max(0, rows - 1);
    }
    return coloured(made);
  }

  function traces(figure, width) {
    const data = structuredClone(figure.data);
    for (const trace of data) {
      if (trace.type === "sankey") {
        trace.textfont = { size: width < NARROW ? 11 : 13, color: "@ink" };
        if (width < NARROW)
          // The middle one would lie over those at the end, which say the same.
          trace.node.label = trace.node.label.map((text, at) => (at === 1 ? "" : shortened(text, 26)));
      }
      if (trace.type === "heatmap" && width < NARROW) trace.showscale = false;
      if (trace.type === "bar" && trace.textposition) trace.textfont = { size: 11 };
    }
    return coloured(data);
  }

  function draw(canvas) {
    const figure = figures[canvas.dataset.figure];
    const width = canvas.clientWidth;
    if (!figure || !width) return;
    drawn.set(canvas, width);
    const config = { displayModeBar: false, responsive: false, showTips: false, doubleClick: "reset" };
    window.Plotly.react(canvas, traces(figure, width), layout(figure, width), config);
  }

  function drawAll() {
    canvases.forEach(draw);
  }

  function follow() {
    const near = new IntersectionObserver((entries) => {
      for (const entry of entries)
        if (entry.isIntersecting && !drawn.has(entry.target)) draw(entry.target);
    }, { rootMargin: "800px" });
    canvases.forEach((canvas) => near.observe(canvas));
    let waiting = 0;
    addEventListener("resize", () => {
      cancelAnimationFrame(waiting);
      waiting = requestAnimationFrame(() => {
        for (const [canvas, width] of drawn) if (canvas.clientWidth !== width) draw(canvas);
      });
    });
    dark.addEventListener("change", () => [...drawn.keys()].forEach(draw));
    addEventListener("beforeprint", () => { root.dataset.scheme = "light"; drawAll(); });
    addEventListener("afterprint", () => { delete root.dataset.scheme; drawAll(); });
  }

  for (const canvas of canvases) {
    const figure = figures[canvas.dataset.figure];
    if (figure) canvas.style.minHeight = `${figure.height}px`;
  }
  root.classList.add("plots");
  unpack().then(follow).then(() => { root.dataset.ready = "yes"; }).catch((error) => {
    root.classList.remove("plots");
    for (const details of document.querySelectorAll("figure details")) details.open = true;
    console.error(error);
  });
})();
