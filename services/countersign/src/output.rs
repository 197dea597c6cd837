//! Results go to standard output, everything else to standard error.

use std::fmt::Display;
use std::io::{self, Write};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

/// Writes a line of the result. A reader that went away, as `head` does, is no failure of ours.
pub(crate) fn result(line: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    ignore_broken_pipe(writeln!(out, "{line}").and_then(|()| out.flush()))
}

/// Writes a line of a result without an end; false if nobody reads it any more.
pub(crate) fn streamed(line: &str) -> anyhow::Result<bool> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        written => Ok(written.map(|()| true)?),
    }
}

/// Writes the result as one JSON document.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    result(&serde_json::to_string_pretty(value)?)
}

/// An empty table without lines, as wide as its content unless a terminal is narrower.
pub(crate) fn table<const N: usize>(head: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_header(head);
    table
}

/// Tells a person something beside the result.
pub(crate) fn complain(line: &str) {
    // Where nobody listens there is nobody to tell that.
    let _nobody_listens = writeln!(io::stderr().lock(), "{line}");
}

/// An error and its causes on one line. A cause that its effect's text ends with is not told twice.
pub(crate) fn told(error: &anyhow::Error) -> String {
    error.chain().skip(1).map(ToString::to_string).fold(error.to_string(), |line, cause| {
        if line.ends_with(&cause) { line } else { format!("{line}: {cause}") }
    })
}

/// An error with its stable code in front, unless its text begins with it already.
pub(crate) fn coded(code: Option<&str>, error: &impl Display) -> String {
    let text = shown(error);
    match code {
        Some(code) if !text.starts_with(code) => format!("{code}: {text}"),
        Some(_) | None => text,
    }
}

/// Shows `text` from outside without its control characters, which could rewrite a terminal.
pub(crate) fn shown(text: impl Display) -> String {
    let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.to_string().chars().map(escape).collect()
}

fn ignore_broken_pipe(written: io::Result<()>) -> anyhow::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let cause = || anyhow::anyhow!("no such file");
        assert_eq!(told(&cause().context("cannot read x: no such file")), "cannot read x: no such file");
        assert_eq!(told(&cause().context("cannot read x")), "cannot read x: no such file");
    }

    #[test]
    fn a_name_cannot_rewrite_the_terminal() {
        assert_eq!(shown("a\u{1b}[2Jb\n"), "a\\u{1b}[2Jb\\n");
        assert_eq!(shown("größe"), "größe");
    }
}
