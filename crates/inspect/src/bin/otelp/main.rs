//! `otelp`: what propagation headers mean, in a terminal.

mod diff;
mod exec;
mod listen;
mod read;
mod send;

use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use otel_baggage_limits::Limits;
use otel_composite::Registry;
use otel_inspect::{Config, printable};
use otel_trust_boundary::{Boundary, Destination};
use std::{
    error::Error,
    ffi::OsString,
    fs,
    io::{self, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Explains the headers that carry a trace and its baggage from service to service.
#[derive(Debug, Parser)]
#[command(name = "otelp", version, arg_required_else_help = true)]
struct Otelp {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Says what a service makes of a request's headers; exit code 1 where something is lost or broken.
    Read {
        /// Header lines such as `b3: 0`; without any, standard input is read.
        headers: Vec<OsString>,
        /// A file with header lines, an HTTP request, `curl -v` output, a HAR entry, or a line of an access log.
        #[arg(long, short, conflicts_with = "headers")]
        file: Option<PathBuf>,
        /// Prints the report as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        service: Service,
    },
    /// Sends a request that starts a trace, and prints what it carried.
    Send {
        /// A baggage entry, `key=value`; may be given several times.
        #[arg(long, short, value_name = "KEY=VALUE")]
        baggage: Vec<String>,
        /// Leaves the sampled flag unset.
        #[arg(long)]
        unsampled: bool,
        /// Where to; `http://` only.
        url: String,
        #[command(flatten)]
        service: Service,
    },
    /// Answers every request and prints what it carried, until it is stopped.
    Listen {
        /// The address, such as 127.0.0.1:8080.
        address: SocketAddr,
        /// Stops after so many requests.
        #[arg(long)]
        requests: Option<usize>,
        #[command(flatten)]
        service: Service,
    },
    /// Runs a command with a trace of its own, and the baggage, in its environment variables.
    Exec {
        /// A baggage entry, `key=value`; may be given several times.
        #[arg(long, short, value_name = "KEY=VALUE")]
        baggage: Vec<String>,
        /// The command and its arguments.
        #[arg(last = true, required = true)]
        command: Vec<String>,
        #[command(flatten)]
        service: Service,
    },
    /// Compares what a service makes of two requests; exit code 1 where it is not the same.
    Diff {
        /// A file as `read` takes it.
        one: PathBuf,
        /// Another.
        other: PathBuf,
        #[command(flatten)]
        service: Service,
    },
    /// Prints the completions for a shell.
    Completions {
        /// Which shell.
        shell: Shell,
    },
    /// Prints a manual page.
    Man {
        /// Of this subcommand, such as `read`; of `otelp` unless given.
        subcommand: Option<String>,
    },
}

/// How the service is set.
#[derive(Args, Debug)]
struct Service {
    /// The formats, in the order of preference, as `OTEL_PROPAGATORS` lists them.
    #[arg(long, short, env = "OTEL_PROPAGATORS", default_value = "tracecontext,baggage")]
    propagators: String,
    /// The most bytes of baggage that are sent.
    #[arg(long, value_name = "BYTES")]
    max_bytes: Option<usize>,
    /// The most members of baggage that are sent.
    #[arg(long, value_name = "MEMBERS")]
    max_members: Option<usize>,
    /// The trust boundary: a policy as JSON, or an OpenTelemetry configuration file that has one.
    #[arg(long, value_name = "FILE")]
    boundary: Option<PathBuf>,
    /// Where the next request goes to, as `host` or `host:port`; unknown unless given.
    #[arg(long, value_name = "HOST", requires = "boundary")]
    destination: Option<String>,
}

impl Service {
    fn config(&self) -> Result<Config, Box<dyn Error>> {
        let limits = self.max_bytes.iter().fold(Limits::new(), |limits, &bytes| limits.max_bytes(bytes));
        let limits = self.max_members.iter().fold(limits, |limits, &members| limits.max_members(members));
        let config = Config::with_limits(&self.propagators, limits)?;
        let Some(path) = &self.boundary else { return Ok(config) };
        let destination = self.destination.as_deref().map_or_else(Destination::unknown, Destination::host);
        Ok(config.with_boundary(boundary(path)?, destination))
    }
}

fn boundary(path: &Path) -> Result<Boundary, Box<dyn Error>> {
    let told = |error: &dyn Error| format!("{}: {error}", path.display());
    let text = fs::read_to_string(path).map_err(|error| told(&error))?;
    let policy: Option<serde_json::Value> = serde_json::from_str(&text).ok();
    if let Some(policy) = policy.filter(|policy| policy.get("default_egress_action").is_some()) {
        return Ok(Boundary::from_config(policy).map_err(|error| told(&error))?);
    }
    let file = otel_composite::Config::from_yaml(&text).map_err(|error| told(&error))?;
    let service = Registry::new().builder_from_config(&file).map_err(|error| told(&error))?.build();
    let none = || format!("{}: there is no trust boundary in it", path.display());
    Ok(service.boundary().cloned().ok_or_else(none)?)
}

fn main() -> ExitCode {
    match run(Otelp::parse().command) {
        Ok(code) => code,
        Err(error) => {
            anstream::eprintln!("otelp: {}", printable(&error.to_string()));
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        Command::Read { headers, file, json, service } => {
            read::run(&headers, file.as_deref(), json, &service.config()?)
        }
        Command::Send { baggage, unsampled, url, service } => {
            send::run(&baggage, unsampled, &url, &service.propagators)
        }
        Command::Listen { address, requests, service } => listen::run(address, requests, &service.config()?),
        Command::Exec { baggage, command, service } => exec::run(&baggage, &command, &service.propagators),
        Command::Diff { one, other, service } => diff::run(&one, &other, &service.config()?),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Otelp::command(), "otelp", &mut script);
            print(&String::from_utf8(script)?)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Man { subcommand } => {
            let mut manual = Vec::new();
            clap_mangen::Man::new(page(subcommand.as_deref())?).render(&mut manual)?;
            print(&String::from_utf8(manual)?)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Without colours where it is no terminal. A reader that has seen enough, as `head` has, is no error.
fn print(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// The command that a manual page is of.
fn page(subcommand: Option<&str>) -> Result<clap::Command, Box<dyn Error>> {
    let mut otelp = Otelp::command();
    otelp.build();
    let Some(name) = subcommand else { return Ok(otelp) };
    let found = otelp.find_subcommand(name).ok_or_else(|| format!("there is no subcommand {name:?}"))?;
    Ok(found.clone())
}
