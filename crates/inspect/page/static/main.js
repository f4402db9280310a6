// The page around the library: what is typed goes in, the report is shown. All text is set as text, never as markup.
import start, { explain } from "./otelp_page.js";

const EXAMPLES = [
  "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03\ntracestate: rojo=00f067aa0ba902b7,congo=t61\nbaggage: tenant=acme%20retail;ttl=30,cohort=b",
  "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333-01",
  "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  "b3: 4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-d\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  "baggage: tenant=acme, bad key=1,note=a b",
];
const field = (id) => document.getElementById(id);

// Controls, and what turns text around or cannot be seen, as escapes.
const visible = (text) => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);

function node(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.map((child) => (typeof child === "string" ? visible(child) : child)));
  return element;
}

const section = (title, ...children) => [node("h2", {}, title), ...children];
const table = (heads, rows) =>
  node("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": heads.join(", ") },
    node("table", {},
      node("thead", {}, node("tr", {}, ...heads.map((head) => node("th", { scope: "col" }, head)))),
      node("tbody", {}, ...rows)));
const row = (...cells) => node("tr", {}, ...cells.map((cell) => (cell instanceof Node && cell.tagName === "TD" ? cell : node("td", {}, cell))));

// The spans of the report count bytes; a value that is text is ASCII, so bytes are characters.
function value(header) {
  // Where something is missing, the character before the gap is marked.
  const marks = header.problems.map(({ from, to }) => (to > from ? [from, to] : [Math.max(from - 1, 0), from]));
  const within = ([from, to]) => (piece) => from <= piece[0] && piece[1] <= to;
  const places = [0, header.value.length, ...header.parts.flatMap((part) => [part.from, part.to]), ...marks.flat()];
  const cuts = [...new Set(places)].sort((one, other) => one - other);
  return cuts.slice(1).map((to, at) => {
    const piece = [cuts[at], to];
    const text = header.value.slice(...piece);
    const broken = marks.some((mark) => within(mark)(piece)) ? node("mark", {}, text) : text;
    const turn = header.parts.findIndex((part) => within([part.from, part.to])(piece));
    return node("span", turn < 0 ? {} : { class: `part part${turn % 4}`, title: header.parts[turn].production }, broken);
  });
}

function header(header) {
  const list = node("dl");
  header.parts.forEach((part, turn) => {
    const text = header.value.slice(part.from, part.to);
    list.append(node("dt", { class: `part${turn % 4}` }, part.production), node("dd", {}, part.meaning ? `${text} (${part.meaning})` : text));
  });
  for (const problem of header.problems) {
    const link = node("a", { href: problem.specification, rel: "noreferrer" }, "the rule");
    list.append(node("dt", { class: "bad" }, `column ${problem.from + 1}`), node("dd", { class: "bad" }, `${problem.rule}: `, link));
  }
  if (!header.is_text) list.append(node("dt", { class: "bad" }, "not text"), node("dd", { class: "bad" }, "carriers do not give it"));
  return node("article", { class: "header" }, node("div", { class: "value" }, node("span", { class: "name" }, `${header.name}: `), ...value(header)), list);
}

const COLOURS = { error: "bad", warning: "doubtful", note: "faint", refused: "bad", conflicts: "bad", chosen: "good", agrees: "good" };

function show(report) {
  const findings = report.findings.length
    ? node("ul", {}, ...report.findings.map((it) => node("li", { class: COLOURS[it.severity] }, `${it.severity}: ${it.header} ${it.text}`)))
    : node("p", { class: "good" }, "Everything that came is understood and goes on.");
  const formats = table(["format", "outcome", "trace", "span", "sampling"], report.formats.map((it) =>
    row(it.name, node("td", { class: COLOURS[it.outcome] ?? "" }, it.outcome), it.span?.trace_id ?? "", it.span?.span_id ?? "", it.span?.sampling ?? "")));
  const chosen = report.chosen
    ? `${report.chosen.format} names the trace that goes on: ${report.chosen.why}.`
    : "No format names a trace, so a new one starts here.";
  const baggage = table(["key", "value", "metadata", "bytes received", "bytes sent", "left out"], report.baggage.map((it) =>
    row(it.key, it.value, it.metadata, String(it.received_bytes), String(it.sent_bytes), node("td", { class: "bad" }, it.left_out ?? ""))));
  const state = table(["vendor", "value"], report.tracestate.map((it) => row(it.key, it.value)));
  const sent = table(["header", "value", "bytes", "on HTTP/2", "the first time"], report.sent.map((it) =>
    row(it.name, it.value, String(it.bytes), String(it.http2_bytes), String(it.http2_first_bytes))));
  const sdk = node("ul", {}, ...report.sdk.map((it) => node("li", {}, `${it.row}: ${it.sdk} (here: ${it.here})`)));
  const policy = report.boundary;
  const boundary = policy && node("ul", {},
    node("li", {}, `The caller's trace: ${policy.trace}.`),
    ...(policy.not_accepted.length ? [node("li", {}, `Baggage that is not let in: ${policy.not_accepted.join(", ")}.`)] : []),
    node("li", {}, `${policy.destination} has the rule "${policy.rule}".`),
    ...policy.withheld.map((it) => node("li", {}, `${it.header} is kept back: ${it.keys.join(", ") || "all of it"}.`)));
  return [
    ...section("Findings", findings),
    ...section("Headers", ...report.headers.map(header)),
    ...section("Who wins", formats, node("p", {}, chosen)),
    ...(report.baggage.length ? section("Baggage", baggage) : []),
    ...(report.tracestate.length ? section("tracestate", state) : []),
    ...section("What is sent on, with a span of this service's own", report.sent.length ? sent : node("p", { class: "faint" }, "Nothing.")),
    ...(policy ? section("Trust boundary", boundary) : []),
    ...(report.sdk.length ? section("What opentelemetry_sdk would have done otherwise", sdk) : []),
  ];
}

// What a screen reader says after each change; the report itself is too long to be read out again and again.
function summary(report) {
  if (report.error) return report.error;
  if (!report.headers.length) return "No header that carries context yet.";
  const count = (severity) => report.findings.filter((it) => it.severity === severity).length;
  const worst = report.findings[0];
  const counts = `Errors: ${count("error")}, warnings: ${count("warning")}.`;
  return worst ? `${counts} ${worst.header}: ${worst.text}.` : "Everything that came is understood and goes on.";
}

function update() {
  const number = (id) => Math.max(0, Math.trunc(Number(field(id).value))) || 0;
  const report = JSON.parse(explain(
    field("text").value, field("propagators").value, number("bytes"), number("members"), field("policy").value, field("destination").value));
  for (const id of ["propagators", "policy"]) {
    const isWrong = report.field === id;
    field(id).setAttribute("aria-invalid", String(isWrong));
    field(`${id}-error`).hidden = !isWrong;
    field(`${id}-error`).textContent = isWrong ? visible(report.error) : "";
  }
  field("report").replaceChildren(...(report.error || !report.headers.length ? [] : show(report)));
  field("status").textContent = visible(summary(report));
}

const FIELDS = ["text", "propagators", "bytes", "members", "policy", "destination"];

function link() {
  const settings = new URLSearchParams(FIELDS.filter((id) => field(id).value).map((id) => [id, field(id).value]));
  return `${location.origin}${location.pathname}#${settings}`;
}

function fromLink() {
  const settings = new URLSearchParams(location.hash.slice(1));
  for (const id of FIELDS) if (settings.has(id)) field(id).value = settings.get(id);
  if (settings.has("policy")) field("boundary").open = true;
}

await start();
let example = 0;
fromLink();
if (!field("text").value) field("text").value = EXAMPLES[example];
field("form").addEventListener("input", update);
field("form").addEventListener("submit", (event) => event.preventDefault());
addEventListener("hashchange", () => { fromLink(); update(); });
field("example").addEventListener("click", () => {
  example = (example + 1) % EXAMPLES.length;
  field("text").value = EXAMPLES[example];
  if (example === 3) field("propagators").value = "b3,tracecontext,baggage";
  update();
});
field("copy").addEventListener("click", async () => {
  history.replaceState(null, "", link());
  try {
    await navigator.clipboard.writeText(link());
    field("status").textContent = "The link is copied; it holds what you pasted.";
  } catch {
    field("status").textContent = "The link is in the address bar; it holds what you pasted.";
  }
});
update();
document.documentElement.dataset.ready = "yes";
