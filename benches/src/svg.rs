//! A small plot: lines over two logarithmic axes.

use std::fmt::Write;

/// One set of axes with its lines.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_structs, reason = "built by the program that plots")]
pub struct Panel {
    /// What is written over it.
    pub title: &'static str,
    /// What is written under the horizontal axis.
    pub across: &'static str,
    /// What is written over the vertical axis.
    pub up: &'static str,
    /// Where a limit stands on the horizontal axis, and what it is called.
    pub limit: (f64, &'static str),
    /// The lines.
    pub lines: Vec<Line>,
}

/// A line of a panel.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_structs, reason = "built by the program that plots")]
pub struct Line {
    /// What it shows.
    pub label: String,
    /// Its colour in CSS.
    pub colour: &'static str,
    /// Whether it is dashed.
    pub dashed: bool,
    /// Its points, from left to right; both numbers are positive.
    pub points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 330.0;
/// The room of a panel outside its axes: left, right (for the names of the lines), top, bottom.
const MARGIN: (f64, f64, f64, f64) = (56.0, 130.0, 52.0, 44.0);
/// The room that the name of a line takes.
const NAME: f64 = 15.0;
/// Legible on a page of either kind.
const STYLE: &str = "svg{background:#fff}text{fill:#1f2328}.grid{stroke:#ddd}.axis{stroke:#444}.limit{stroke:#888}\
    @media(prefers-color-scheme:dark){svg{background:#0d1117}text{fill:#e6edf3}.grid{stroke:#30363d}\
    .axis{stroke:#9ba7b4}.limit{stroke:#9ba7b4}}";

/// Draws the panels side by side.
#[must_use]
pub fn draw(panels: &[Panel]) -> String {
    let mut all = String::new();
    let mut left = 0.0;
    for panel in panels {
        let _ = write!(all, "<g transform=\"translate({left} 0)\">\n{}</g>\n", panel.draw());
        left += WIDTH;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {left} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<style>{STYLE}</style>\n{all}</svg>\n"
    )
}

impl Panel {
    fn draw(&self) -> String {
        let axes = Axes::around(&self.lines);
        let (left, right, top, bottom) = MARGIN;
        let (far, low) = (WIDTH - right, HEIGHT - bottom);
        let mut svg = String::new();
        let mut text = |x: f64, y: f64, anchor: &str, content: &str| {
            let _ =
                writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{content}</text>");
        };
        text(left, 20.0, "start", &format!("<tspan font-weight=\"bold\">{}</tspan>", self.title));
        text(left, 40.0, "start", self.up);
        text(far, low + 34.0, "end", self.across);
        for (value, label) in powers(axes.across, 2.0, 3) {
            text(axes.x(value), low + 16.0, "middle", &label);
        }
        for (value, label) in powers(axes.up, 10.0, 1) {
            text(left - 6.0, axes.y(value) + 4.0, "end", &label);
        }
        let (limit, name) = self.limit;
        text(axes.x(limit) + 4.0, top + 12.0, "start", name);
        for (value, _) in powers(axes.up, 10.0, 1) {
            rule(&mut svg, (left, axes.y(value)), (far, axes.y(value)), "class=\"grid\"");
        }
        rule(
            &mut svg,
            (axes.x(limit), top),
            (axes.x(limit), low),
            "class=\"limit\" stroke-dasharray=\"2 3\"",
        );
        rule(&mut svg, (left, low), (far, low), "class=\"axis\"");
        for (line, y) in self.lines.iter().zip(self.names(&axes)) {
            line.draw(&mut svg, &axes, y);
        }
        svg
    }

    /// How high the name of each line stands: at its end, with room between any two.
    fn names(&self, axes: &Axes) -> Vec<f64> {
        let end = |line: &Line| line.points.last().map_or(0.0, |point| axes.y(point.1));
        let mut order: Vec<usize> = (0..self.lines.len()).collect();
        order.sort_by(|&one, &other| end(&self.lines[one]).total_cmp(&end(&self.lines[other])));
        let mut heights = vec![0.0; self.lines.len()];
        let mut free = f64::MIN;
        for line in order {
            heights[line] = end(&self.lines[line]).max(free);
            free = heights[line] + NAME;
        }
        heights
    }
}

impl Line {
    fn draw(&self, svg: &mut String, axes: &Axes, name: f64) {
        let points: Vec<String> =
            self.points.iter().map(|&(x, y)| format!("{:.1},{:.1}", axes.x(x), axes.y(y))).collect();
        let dash = if self.dashed { " stroke-dasharray=\"6 4\"" } else { "" };
        let (colour, label) = (self.colour, &self.label);
        let points = points.join(" ");
        let _ = writeln!(
            svg,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dash} points=\"{points}\"/>"
        );
        let x = self.points.last().map_or(0.0, |point| axes.x(point.0)) + 6.0;
        let _ = writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{:.1}\" style=\"fill:{colour}\">{label}</text>",
            name + 4.0
        );
    }
}

fn rule(svg: &mut String, from: (f64, f64), to: (f64, f64), style: &str) {
    let _ = writeln!(
        svg,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" {style}/>",
        from.0, from.1, to.0, to.1
    );
}

/// What the axes reach from and to.
struct Axes {
    across: (f64, f64),
    up: (f64, f64),
}

impl Axes {
    fn around(lines: &[Line]) -> Self {
        let points = || lines.iter().flat_map(|line| &line.points);
        let range = |values: &mut dyn Iterator<Item = f64>| {
            values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)))
        };
        let (low, high) = range(&mut points().map(|point| point.1));
        let decade = |value: f64| value.max(1.0).log10();
        let up = (10_f64.powf(decade(low).floor()), 10_f64.powf(decade(high).ceil()));
        Self { across: range(&mut points().map(|point| point.0)), up }
    }

    fn x(&self, value: f64) -> f64 {
        let (left, right, ..) = MARGIN;
        left + (WIDTH - left - right) * share(value, self.across)
    }

    fn y(&self, value: f64) -> f64 {
        let (_, _, top, bottom) = MARGIN;
        HEIGHT - bottom - (HEIGHT - top - bottom) * share(value, self.up)
    }
}

/// Where a value stands between the ends of a logarithmic axis, from 0 to 1.
fn share(value: f64, (low, high): (f64, f64)) -> f64 {
    (value.max(low) / low).ln() / (high / low).ln()
}

/// The powers of `base` on an axis, so many steps apart, with their labels.
fn powers((low, high): (f64, f64), base: f64, step: u8) -> Vec<(f64, String)> {
    let first = low.log(base).round();
    (0..=u8::MAX / step)
        .map(|number| base.powf(first + f64::from(number * step)))
        .take_while(|&value| value <= high * 1.001)
        .map(|value| (value, label(value)))
        .collect()
}

fn label(value: f64) -> String {
    let units = [(1_048_576.0, " Mi"), (1024.0, " Ki")];
    let decimal = [(1e9, " G"), (1e6, " M"), (1e3, " k")];
    let whole = |&&(unit, _): &&(f64, &str)| value >= unit && (value % unit).abs() < f64::EPSILON;
    let unit = decimal.iter().find(whole).or_else(|| units.iter().find(whole));
    unit.map_or_else(|| format!("{value:.0}"), |(unit, name)| format!("{:.0}{name}", value / unit))
}
