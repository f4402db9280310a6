//! The peers: how each is installed, started and asked.

use crate::protocol::{Answer, Command as Ask};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// Whose propagators: a peer's library, or ours in this process.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Kind {
    Python,
    JavaScript,
    Go,
    Java,
    Brave,
    Ours,
}

/// How a peer comes to be: a folder of `peers/`, the commands that install it there, the command that starts it.
struct Recipe {
    folder: &'static str,
    install: &'static [&'static [&'static str]],
    start: &'static [&'static str],
}

const JAVA: &[&[&str]] = &[&["mvn", "-q", "-B", "package", "dependency:copy-dependencies"]];
const CLASS_PATH: &str = "target/classes:target/dependency/*";

impl Kind {
    pub(crate) const ALL: [Self; 5] = [Self::Python, Self::JavaScript, Self::Go, Self::Java, Self::Brave];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::JavaScript => "javascript",
            Self::Go => "go",
            Self::Java => "java",
            Self::Brave => "brave",
            Self::Ours => "ours",
        }
    }

    const fn recipe(self) -> Option<Recipe> {
        Some(match self {
            Self::Python => Recipe {
                folder: "python",
                install: &[
                    &["python3", "-m", "venv", "venv"],
                    &["venv/bin/pip", "install", "--quiet", "-r", "requirements.txt"],
                ],
                start: &["venv/bin/python", "peer.py"],
            },
            Self::JavaScript => Recipe {
                folder: "javascript",
                install: &[&["npm", "ci", "--silent", "--no-audit", "--no-fund"]],
                start: &["node", "peer.js"],
            },
            Self::Go => {
                Recipe { folder: "go", install: &[&["go", "build", "-o", "peer", "."]], start: &["./peer"] }
            }
            Self::Java => Recipe {
                folder: "java",
                install: JAVA,
                start: &["java", "-XX:+UseSerialGC", "-cp", CLASS_PATH, "peer.Main", "opentelemetry"],
            },
            Self::Brave => Recipe {
                folder: "java",
                install: JAVA,
                start: &["java", "-XX:+UseSerialGC", "-cp", CLASS_PATH, "peer.Main", "brave"],
            },
            Self::Ours => return None,
        })
    }
}

/// A running peer.
pub(crate) struct Peer {
    pub(crate) kind: Kind,
    pub(crate) versions: Vec<String>,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Peer {
    /// Installs the peer under `.work/`, if that has not been done, and starts it.
    pub(crate) fn start(kind: Kind) -> Result<Self, String> {
        let recipe = kind.recipe().ok_or("it runs in this process")?;
        let folder = installed(&recipe)?;
        let mut child = command(recipe.start, &folder)?
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", recipe.start.join(" ")))?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        let mut peer = Self { kind, versions: Vec::new(), child, input, output };
        peer.versions = peer.line()?;
        Ok(peer)
    }

    /// Sends the commands and does not wait: the peers work at the same time.
    pub(crate) fn send(&mut self, commands: &[Ask]) -> Result<(), String> {
        let mut line = serde_json::to_vec(commands).map_err(|error| error.to_string())?;
        line.push(b'\n');
        let input = self.input.as_mut().ok_or("its standard input is closed")?;
        input.write_all(&line).and_then(|()| input.flush()).map_err(|error| self.failure(&error.to_string()))
    }

    /// The answers to what was sent last, in the same order.
    pub(crate) fn receive(&mut self) -> Result<Vec<Answer>, String> {
        self.line()
    }

    fn line<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, String> {
        let mut line = String::new();
        self.output.read_line(&mut line).map_err(|error| self.failure(&error.to_string()))?;
        serde_json::from_str(&line).map_err(|error| self.failure(&error.to_string()))
    }

    fn failure(&self, what: &str) -> String {
        format!("{} did not answer: {what}", self.kind.name())
    }
}

impl Drop for Peer {
    /// A peer ends with its standard input.
    fn drop(&mut self) {
        self.input.take();
        // Nothing is left to be done for a peer that does not end.
        let _ = self.child.wait();
    }
}

/// The peer's folder under `.work/`, with a copy of its sources that has been installed.
fn installed(recipe: &Recipe) -> Result<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let work = root.join(".work").join(recipe.folder);
    let mark = work.join(".installed");
    let changed = copy(&root.join("peers").join(recipe.folder), &work).map_err(|error| error.to_string())?;
    if changed {
        let _ = fs::remove_file(&mark);
    }
    if !mark.exists() {
        for step in recipe.install {
            run(step, &work)?;
        }
        fs::write(&mark, "").map_err(|error| error.to_string())?;
    }
    Ok(work)
}

/// Copies what differs; whether anything did.
fn copy(from: &Path, to: &Path) -> std::io::Result<bool> {
    fs::create_dir_all(to)?;
    let mut changed = false;
    for entry in fs::read_dir(from)? {
        let (source, target) = {
            let entry = entry?;
            (entry.path(), to.join(entry.file_name()))
        };
        if source.is_dir() {
            changed |= copy(&source, &target)?;
        } else if fs::read(&source)? != fs::read(&target).unwrap_or_default() {
            fs::copy(&source, &target)?;
            changed = true;
        }
    }
    Ok(changed)
}

fn run(step: &[&str], folder: &Path) -> Result<(), String> {
    let said = command(step, folder)?.output().map_err(|error| format!("{}: {error}", step.join(" ")))?;
    if said.status.success() {
        return Ok(());
    }
    let reason = String::from_utf8_lossy(&said.stderr);
    let last =
        reason.lines().chain(String::from_utf8_lossy(&said.stdout).lines()).last().unwrap_or("").to_owned();
    Err(format!("{}: {last}", step.join(" ")))
}

fn command(words: &[&str], folder: &Path) -> Result<Command, String> {
    let (program, arguments) = words.split_first().ok_or("no command")?;
    // A relative program is found in the peer's folder; a bare name on the search path.
    let program = if program.contains('/') { folder.join(program) } else { PathBuf::from(program) };
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    Ok(command)
}
