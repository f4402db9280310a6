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
/// The room of a panel outside its axes: left, right, top, bottom.
const MARGIN: (f64, f64, f64, f64) = (56.0, 16.0, 52.0, 44.0);
const LEGEND_LINE: f64 = 17.0;

/// Draws the panels side by side.
#[must_use]
pub fn draw(panels: &[Panel]) -> String {
    let legend = panels.iter().map(|panel| panel.lines.len()).max().unwrap_or(0);
    let mut all = String::new();
    let mut left = 0.0;
    for panel in panels {
        let _ = write!(all, "<g transform=\"translate({left} 0)\">\n{}</g>\n", panel.draw());
        left += WIDTH;
    }
    let (_, _, _, bottom) = MARGIN;
    let height = HEIGHT + bottom / 2.0 + LEGEND_LINE * legend_rows(legend);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {left} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{all}</svg>\n"
    )
}

#[allow(clippy::cast_precision_loss, reason = "a handful of lines")]
fn legend_rows(lines: usize) -> f64 {
    lines.div_ceil(2) as f64
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
            rule(&mut svg, (left, axes.y(value)), (far, axes.y(value)), "stroke=\"#ddd\"");
        }
        rule(
            &mut svg,
            (axes.x(limit), top),
            (axes.x(limit), low),
            "stroke=\"#888\" stroke-dasharray=\"2 3\"",
        );
        rule(&mut svg, (left, low), (far, low), "stroke=\"#444\"");
        for (number, line) in self.lines.iter().enumerate() {
            line.draw(&mut svg, &axes, number);
        }
        svg
    }
}

impl Line {
    fn draw(&self, svg: &mut String, axes: &Axes, number: usize) {
        let points: Vec<String> =
            self.points.iter().map(|&(x, y)| format!("{:.1},{:.1}", axes.x(x), axes.y(y))).collect();
        let dash = if self.dashed { " stroke-dasharray=\"6 4\"" } else { "" };
        let stroke = format!("stroke=\"{}\" stroke-width=\"2\"{dash}", self.colour);
        let _ = writeln!(svg, "<polyline fill=\"none\" {stroke} points=\"{}\"/>", points.join(" "));
        let (left, ..) = MARGIN;
        let column = if number % 2 == 0 { 0.0 } else { (WIDTH - left) / 2.0 };
        let (x, y) = (left + column, HEIGHT + 12.0 + LEGEND_LINE * legend_rows(number / 2 * 2));
        rule(svg, (x, y - 4.0), (x + 26.0, y - 4.0), &stroke);
        let _ = writeln!(svg, "<text x=\"{}\" y=\"{y}\">{}</text>", x + 32.0, self.label);
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
