//! Reads a TOML document key by key and notes what is wrong, where, without stopping.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use toml::{Table, Value};

use super::variables::{is_ours, variable_of};
use super::{Mistake, SecretSource, keys};
use crate::Environment;

/// The mistakes so far, the variables that override keys, and the folder of the files that are part of the configuration.
pub(super) struct Reader<'a> {
    environment: &'a Environment,
    folder: &'a Path,
    used_variables: RefCell<BTreeSet<String>>,
    mistakes: RefCell<Vec<Mistake>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(environment: &'a Environment, folder: &'a Path) -> Self {
        Self { environment, folder, used_variables: RefCell::default(), mistakes: RefCell::default() }
    }

    pub(super) fn mistake(&self, path: impl Into<String>, reason: impl Display) {
        self.mistakes.borrow_mut().push(Mistake { path: path.into(), reason: reason.to_string() });
    }

    /// The document's top. A text that is not TOML is a mistake and reads as an empty document.
    pub(super) fn top(&'a self, text: &str) -> Section<'a> {
        let table = text.parse::<Table>().unwrap_or_else(|error| {
            let line =
                error.span().map_or(1, |span| text[..span.start.min(text.len())].lines().count().max(1));
            self.mistake(
                format!("line {line}"),
                format_args!("not TOML: {}", error.message().replace('\n', "; ")),
            );
            Table::new()
        });
        Section::new(self, String::new(), table)
    }

    /// Everything that is wrong, once all sections are finished.
    pub(super) fn into_mistakes(self) -> Vec<Mistake> {
        let used = self.used_variables.into_inner();
        let mut mistakes = self.mistakes.into_inner();
        for name in self.environment.names().filter(|name| is_ours(name) && !used.contains(*name)) {
            mistakes.push(Mistake {
                path: name.to_owned(),
                reason: "overrides no key of the configuration: correct its name or unset it".into(),
            });
        }
        mistakes
    }
}

/// A table of the document. Keys are taken out as they are read; what is left in the end is unknown.
pub(super) struct Section<'a> {
    reader: &'a Reader<'a>,
    path: String,
    table: Table,
    kind: Option<&'static str>,
}

impl<'a> Section<'a> {
    fn new(reader: &'a Reader<'a>, path: String, table: Table) -> Self {
        Self { reader, path, table, kind: None }
    }

    /// The path of `key`, such as `route[1].destination`.
    pub(super) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(super) fn mistake(&self, key: &str, reason: impl Display) {
        self.reader.mistake(self.path_of(key), reason);
    }

    /// A mistake at a path that was given out before, as by `texts`.
    pub(super) fn mistake_at(&self, path: &str, reason: impl Display) {
        self.reader.mistake(path, reason);
    }

    /// The value of `key` through its parser, or `None` if it is absent or wrong.
    pub(super) fn parsed<T: FromStr<Err: Display>>(&mut self, key: &str) -> Option<T> {
        let (path, text) = self.text(key)?;
        text.parse().map_err(|error| self.reader.mistake(path, error)).ok()
    }

    /// Like `parsed`, with a value for an absent key.
    pub(super) fn parsed_or<T: FromStr<Err: Display>>(&mut self, key: &str, default: T) -> Option<T> {
        if self.has(key) { self.parsed(key) } else { Some(default) }
    }

    /// Like `parsed`, but an absent key is a mistake, with what to write.
    pub(super) fn required<T: FromStr<Err: Display>>(&mut self, key: &str, write: &str) -> Option<T> {
        if !self.has(key) {
            self.mistake(key, format_args!("is missing: write {write}"));
        }
        self.parsed(key)
    }

    /// A path of a file or folder.
    pub(super) fn file(&mut self, key: &str) -> Option<PathBuf> {
        self.parsed::<FilePath>(key).map(|path| path.0)
    }

    /// Where the files are that are part of the configuration.
    pub(super) fn folder(&self) -> &'a Path {
        self.reader.folder
    }

    /// The secret that `variable` holds, or else `file`, which `key` named.
    pub(super) fn secret(&self, key: &str, variable: &str, file: Option<PathBuf>) -> SecretSource {
        self.reader.used_variables.borrow_mut().insert(variable.to_owned());
        SecretSource::new(&self.path_of(key), variable, file)
    }

    /// What kind of thing the table declares. Keys of other kinds are mistakes in it.
    pub(super) fn kind(&mut self, kinds: &[&'static str]) -> Option<&'static str> {
        let written = kinds.iter().map(|kind| format!("\"{kind}\"")).collect::<Vec<_>>().join(" or ");
        let text: String = self.required("kind", &written)?;
        self.kind = kinds.iter().copied().find(|kind| *kind == text);
        if self.kind.is_none() {
            self.mistake("kind", format_args!("{text:?} is not a kind: write {written}"));
        }
        self.kind
    }

    pub(super) fn boolean(&mut self, key: &str, default: bool) -> bool {
        let wrong = |path, found| {
            self.reader.mistake(path, format_args!("{found} is not a switch: write true or false"));
        };
        match (self.overriding(key), self.table.remove(key)) {
            (Some((name, text)), _) => text.parse().unwrap_or_else(|_| {
                wrong(name, format!("{text:?}"));
                default
            }),
            (None, None) => default,
            (None, Some(Value::Boolean(value))) => value,
            (None, Some(other)) => {
                wrong(self.path_of(key), other.to_string());
                default
            }
        }
    }

    /// A whole number of `least` to `most`.
    pub(super) fn number(&mut self, key: &str, default: u64, least: u64, most: u64) -> u64 {
        let (path, number, found) = match (self.overriding(key), self.table.remove(key)) {
            (Some((name, text)), _) => (name, text.parse().ok(), text),
            (None, None) => return default,
            (None, Some(Value::Integer(value))) => {
                (self.path_of(key), u64::try_from(value).ok(), value.to_string())
            }
            (None, Some(other)) => (self.path_of(key), None, other.to_string()),
        };
        match number {
            Some(number) if (least..=most).contains(&number) => number,
            Some(_) | None => {
                self.reader.mistake(
                    path,
                    format_args!("{found} is not in range: write a whole number of {least} to {most}"),
                );
                default
            }
        }
    }

    /// A list of texts, each with its own path.
    pub(super) fn texts(&mut self, key: &str) -> Vec<(String, String)> {
        if let Some((name, text)) = self.overriding(key) {
            self.table.remove(key);
            return text.split(',').map(|item| (name.clone(), item.trim().to_owned())).collect();
        }
        let path = self.path_of(key);
        let items = self.array(key, "a list of texts such as [\"default\"]").into_iter().enumerate();
        let texts = items.filter_map(|(index, item)| self.string(format!("{path}[{index}]"), &item));
        texts.collect()
    }

    /// Like `texts`, with at least one entry and `most` at most.
    pub(super) fn some_texts(&mut self, key: &str, most: usize) -> Vec<(String, String)> {
        let texts = self.texts(key);
        if !(1..=most).contains(&texts.len()) {
            self.mistake(key, format_args!("has {} entries: write 1 to {most}", texts.len()));
        }
        texts
    }

    /// Like `texts`, with `most` entries at most; what is beyond them is not read.
    pub(super) fn few_texts(&mut self, key: &str, most: usize) -> Vec<(String, String)> {
        let mut texts = self.texts(key);
        if texts.len() > most {
            self.mistake(key, format_args!("has {} entries: write at most {most}", texts.len()));
            texts.truncate(most);
        }
        texts
    }

    /// Like `sections`, of which there are `most` at most; what is beyond them is not read.
    pub(super) fn few_sections(&mut self, key: &str, most: usize) -> Vec<Section<'a>> {
        let mut sections = self.sections(key);
        if sections.len() > most {
            self.mistake(key, format_args!("has {} tables: write at most {most}", sections.len()));
            sections.truncate(most);
        }
        sections
    }

    /// A list of tables, `[[key]]`.
    pub(super) fn sections(&mut self, key: &str) -> Vec<Section<'a>> {
        let (reader, path) = (self.reader, self.path_of(key));
        let items = self.array(key, &format!("[[{key}]] tables")).into_iter().enumerate();
        let sections = items.filter_map(|(index, item)| reader.section(format!("{path}[{index}]"), item));
        sections.collect()
    }

    /// A table, `[key]` or `key = { … }`.
    pub(super) fn section(&mut self, key: &str) -> Option<Section<'a>> {
        let item = self.table.remove(key)?;
        self.reader.section(self.path_of(key), item)
    }

    /// A table that is there too if a variable gives one of its keys.
    pub(super) fn section_if_given(&mut self, key: &str) -> Option<Section<'a>> {
        let path = self.path_of(key);
        let variable = |key| self.reader.environment.value(&variable_of(key)).is_some();
        let given = self.table.contains_key(key) || keys::keys_below(&path).any(variable);
        given.then(|| self.section_or_empty(key))
    }

    /// A table whose keys all have defaults.
    pub(super) fn section_or_empty(&mut self, key: &str) -> Section<'a> {
        let given = self.section(key);
        given.unwrap_or_else(|| Section::new(self.reader, self.path_of(key), Table::new()))
    }

    /// Ends the reading: what was not read is unknown, or belongs to another kind.
    pub(super) fn finish(self) {
        let known = keys::known_in(&self.path);
        for key in self.table.keys() {
            match self.kind {
                _ if !known.contains(key) => self.mistake(
                    key,
                    format_args!("is not a key of the configuration: known here are {}", known.join(", ")),
                ),
                Some(kind) => {
                    self.mistake(key, format_args!("has no effect with kind = \"{kind}\": leave it out"));
                }
                // The kind itself is the mistake.
                None => {}
            }
        }
    }

    /// True if the file or a variable gives `key`.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key) || self.overriding(key).is_some()
    }

    /// The text of `key` with the path or variable that it comes from.
    fn text(&mut self, key: &str) -> Option<(String, String)> {
        let from_file = self.table.remove(key);
        self.overriding(key).or_else(|| self.string(self.path_of(key), &from_file?))
    }

    fn string(&self, path: String, value: &Value) -> Option<(String, String)> {
        let text = value.as_str().map(str::to_owned);
        if text.is_none() {
            self.reader.mistake(
                path.clone(),
                format_args!("{} is not a text: write it in double quotes", found(value)),
            );
        }
        Some((path, text?))
    }

    fn array(&mut self, key: &str, write: &str) -> Vec<Value> {
        match self.table.remove(key) {
            None => Vec::new(),
            Some(Value::Array(items)) => items,
            Some(other) => {
                self.mistake(key, format_args!("{} is not a list: write {write}", found(&other)));
                Vec::new()
            }
        }
    }

    fn overriding(&self, key: &str) -> Option<(String, String)> {
        let path = self.path_of(key);
        debug_assert!(keys::is_key(&path), "KEYS lacks {path}");
        let name = variable_of(&path);
        let value = self.reader.environment.value(&name)?.to_owned();
        self.reader.used_variables.borrow_mut().insert(name.clone());
        Some((name, value))
    }
}

impl<'a> Reader<'a> {
    fn section(&'a self, path: String, value: Value) -> Option<Section<'a>> {
        if let Value::Table(table) = value {
            return Some(Section::new(self, path, table));
        }
        let found = found(&value);
        self.mistake(path, format_args!("{found} is not a table: write {{ key = \"value\" }}"));
        None
    }
}

/// A path that leads somewhere.
pub(super) struct FilePath(pub(super) PathBuf);

impl FromStr for FilePath {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "" => Err("is empty: write a path, or leave the key out"),
            _ if text.chars().any(char::is_control) => Err("holds control characters: write a path"),
            _ => Ok(Self(text.into())),
        }
    }
}

/// A value of a wrong type, for people. It may hold a secret, so its type is all that is said.
fn found(value: &Value) -> String {
    match value.type_str() {
        kind @ ("integer" | "array") => format!("an {kind}"),
        kind => format!("a {kind}"),
    }
}
