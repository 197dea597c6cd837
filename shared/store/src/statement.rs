//! One SQL statement with its values. Both databases understand the same text, with the placeholders `$1`, `$2`, ….

use std::borrow::Cow;

use countersign_ports::StoreError;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Arguments, Encode, FromRow, Type};

/// A statement that is ready to be run.
#[derive(Debug)]
pub struct Statement {
    text: Cow<'static, str>,
    values: Vec<Value>,
    for_update: Option<&'static str>,
}

/// What a column holds.
#[derive(Debug)]
pub(crate) enum Value {
    /// TEXT.
    Text(Option<String>),
    /// BIGINT.
    Number(Option<i64>),
}

/// A row that is read from either database.
pub trait Record:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin + 'static
{
}

impl<T> Record for T where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin + 'static
{
}

/// A statement whose values are still to be bound. The text is ours, never a caller's.
pub(crate) fn sql(text: impl Into<Cow<'static, str>>) -> Statement {
    Statement { text: text.into(), values: Vec::new(), for_update: None }
}

/// `rows` tuples of `columns` placeholders each: `($1, $2), ($3, $4)`.
pub(crate) fn placeholders(rows: usize, columns: usize) -> String {
    let tuple = |row: usize| {
        let numbers: Vec<_> = (1..=columns).map(|column| format!("${}", row * columns + column)).collect();
        format!("({})", numbers.join(", "))
    };
    (0..rows).map(tuple).collect::<Vec<_>>().join(", ")
}

/// The conditions of a `WHERE` that has as many as were asked for.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    texts: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    /// One more condition, in which every `?` is a placeholder for the next of `values`.
    pub(crate) fn and<const N: usize>(&mut self, text: &str, values: [Value; N]) {
        let mut parts = text.split('?');
        let mut condition = parts.next().unwrap_or_default().to_owned();
        for (part, value) in parts.zip(values) {
            self.values.push(value);
            condition.push_str(&format!("${}{part}", self.values.len()));
        }
        self.texts.push(condition);
    }

    /// The statement that `build` makes of the `WHERE`, which is empty without conditions, with the values bound. The next
    /// placeholder's number is given as well.
    pub(crate) fn statement(self, build: impl FnOnce(&str, usize) -> Statement) -> Statement {
        let all = self.texts.join(" AND ");
        let which = if all.is_empty() { all } else { format!("WHERE {all}") };
        let statement = build(&which, self.values.len() + 1);
        self.values.into_iter().fold(statement, Statement::bind)
    }
}

impl Statement {
    /// Gives the next placeholder its value.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Holds the rows of `table` that are found until the transaction ends. SQLite's writers are alone anyway.
    pub(crate) fn for_update(mut self, table: &'static str) -> Self {
        self.for_update = Some(table);
        self
    }

    /// The statement that asks the database how it would run this one.
    #[cfg(test)]
    pub(crate) fn explained(mut self, explain: &str) -> Self {
        self.text = format!("{explain} {}", self.text).into();
        self
    }

    /// The text for a database whose writers are alone.
    pub(crate) fn text(&self) -> String {
        self.text.to_string()
    }

    /// The text for a database where writers meet.
    pub(crate) fn locking_text(&self) -> String {
        match self.for_update {
            Some(table) => format!("{} FOR UPDATE OF {table}", self.text),
            None => self.text(),
        }
    }

    /// The values as the database's driver takes them.
    pub(crate) fn arguments<DB>(self) -> Result<DB::Arguments, StoreError>
    where
        DB: sqlx::Database,
        Option<String>: for<'q> Encode<'q, DB> + Type<DB>,
        Option<i64>: for<'q> Encode<'q, DB> + Type<DB>,
    {
        let mut arguments = DB::Arguments::default();
        for value in self.values {
            let added = match value {
                Value::Text(text) => arguments.add(text),
                Value::Number(number) => arguments.add(number),
            };
            added.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        }
        Ok(arguments)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        Self::Text(text.map(str::to_owned))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}
